"""Cardholders' reactions to a payment: disputes, inquiries, fraud reports."""
