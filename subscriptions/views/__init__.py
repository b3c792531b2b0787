"""The pages of plans and of one's own subscription."""

from subscriptions.views.mine import show_mine
from subscriptions.views.plans import show_plans

__all__ = ["show_mine", "show_plans"]
