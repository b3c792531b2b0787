"""Plans and subscriptions in the admin."""

from subscriptions.admin import plans, subscriptions

__all__ = ["plans", "subscriptions"]
