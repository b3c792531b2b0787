"""Cart, orders, checkout, webhooks, settlement. Sells whatever a registered domain can quote and deliver.

Invariants: a price comes from the domain's quote, never from the page; an order has one payable session at most; it is
settled by one function, once; what cannot be delivered is refunded; what goes back never exceeds what was paid; no lock is
held across a call to Stripe.
Must not know: any domain by name.
"""
