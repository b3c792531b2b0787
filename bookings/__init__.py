"""Private lessons: requested, accepted, paid, held.

Invariants: a teacher is never sold twice for one moment (an exclusion constraint over held and confirmed lessons); a
lesson is paid by at most one order line; a request is answered once, by whoever comes first. Knows nothing of carts and
Stripe beyond `payments.contracts` and putting an item into the cart.
"""
