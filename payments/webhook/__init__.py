"""Stripe's webhooks: events are verified and stored during the request, and processed afterwards."""
