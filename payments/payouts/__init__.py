"""Payouts: teachers' Stripe accounts, requests, staff's decisions, transfers and what comes back.

Every movement is a journal of the ledger. Knows nothing of orders, refunds or disputes: a payout takes from a teacher's
available balance, whatever made it.
"""
