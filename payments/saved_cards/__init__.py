"""Saved cards and accounts of students: kept at Stripe, shown here, removed, and charged at once.

`refreshing` copies what Stripe has, `changes` removes and adds, `choosing` answers what a student has, and `charging` pays
an order with a card. Only `gateway` talks to Stripe.
"""
