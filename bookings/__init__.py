"""Private lessons: requested, accepted, paid, taught.

Invariants: the held and confirmed lessons of a teacher never overlap (an exclusion constraint); a lesson is paid by at
most one order line, or takes one lesson credit of a subscription, never both; a request is with one teacher at a time and is answered
once; one to any teacher is never given to a teacher who declined it. Knows nothing of
carts and Stripe beyond `payments.contracts` and adding an item to the cart.
"""

# The domain's name in orders, carts, listings and in the metadata of payments at Stripe.
DOMAIN = "private_teaching"
