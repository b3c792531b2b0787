"""Private lessons in the admin."""

from bookings.admin import availability, lessons, offers, requests

__all__ = ["availability", "lessons", "offers", "requests"]
