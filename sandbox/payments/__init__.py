"""Payments: test cards, attempts, charges, refunds, the balance."""
