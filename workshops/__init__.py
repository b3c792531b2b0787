"""Workshops: sessions with limited places and named participants.

Invariants: a live registration (held or confirmed) owns one numbered seat between 1 and the workshop's capacity, and no
seat has two of them: both are enforced by the database. Seats are taken and freed under the workshop row's lock, always
workshop first, registrations after. Knows orders only by the line's id; knows no Stripe and no other domain.
"""

# The domain's name in orders, carts, listings and in the metadata of payments at Stripe.
DOMAIN = "workshops"
