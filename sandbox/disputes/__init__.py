"""What a cardholder does about a payment afterwards: disputes, inquiries, fraud reports."""
