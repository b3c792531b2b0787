"""Books from ashes: derive the whole ledger a second time, from records and Stripe's statement, and compare both.

Uses the pure rules of the books (`entries` of earnings, disputes and payouts), but not the functions that book while
things happen: two ways to the same journals check each other.
"""
