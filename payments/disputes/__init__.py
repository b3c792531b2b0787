"""Disputes: a cardholder's bank takes a payment back, until it has decided or for good.

`claims` and `plan` compute what a dispute takes of which line, free of Django. `recording` brings our record to what
Stripe reports, in one transaction, and `books` writes the journals of it: they follow Stripe's balance transactions, not
the status. `answers` takes staff's decisions, which `sending` carries to Stripe as durable work.
"""
