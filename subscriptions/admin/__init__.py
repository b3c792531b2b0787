"""Plans and subscriptions in the admin."""

from subscriptions.admin import parts, plans, subscriptions

__all__ = ["parts", "plans", "subscriptions"]
