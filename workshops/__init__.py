"""Workshops: sessions with limited places and named participants.

Invariants: a live registration (held or confirmed) has one numbered seat between 1 and the workshop's capacity, and no
two live registrations have the same seat; the database enforces both. Seats are taken and freed under a lock on the
workshop's row; the workshop is always locked before its registrations. Knows orders only by the line's id, and nothing
of Stripe or other domains.
"""

# The domain's name in orders, carts, listings and in the metadata of payments at Stripe.
DOMAIN = "workshops"
