"""Private lessons in the admin."""

from bookings.admin import availability, credit_terms, lessons, offers, requests

__all__ = ["availability", "credit_terms", "lessons", "offers", "requests"]
