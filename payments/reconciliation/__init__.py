"""Reconciliation: Stripe's balance transactions, read as a bank statement, against our records and the ledger.

`statement`, `book_items`, `matching` and `composition` are pure and decide everything; the other modules stream rows
through them and store what they find.
"""
