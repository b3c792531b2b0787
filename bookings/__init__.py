"""Private lessons: requested, accepted, paid, held.

Invariants: a teacher is never sold twice for one moment (an exclusion constraint over held and confirmed lessons); a
lesson is paid by at most one order line; a request is answered once, by the first teacher who does. Knows nothing of carts and
Stripe beyond `payments.contracts` and putting an item into the cart.
"""

# The domain's name in orders, carts, listings and in the metadata of payments at Stripe.
DOMAIN = "private_teaching"
