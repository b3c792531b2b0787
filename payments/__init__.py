"""Cart, orders, checkout, webhooks, settlement. Sells whatever a registered domain can quote and deliver.

Invariants: a price comes from the domain's quote, never from the page; an order has at most one payable session; one
function settles it, once; what cannot be delivered is refunded; refunds never exceed what was paid; no lock is held
across a call to Stripe.
Must not know: any domain by name.
"""
