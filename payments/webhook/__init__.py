"""Taking in what Stripe tells: verified and stored in the request, worked on afterwards."""
