"""The pages of plans and of one's own subscription."""

from subscriptions.views.changes import cancel, change, go_to_portal, resume, show_changes
from subscriptions.views.earnings import show_earnings_rules
from subscriptions.views.mine import return_from_stripe, show_mine
from subscriptions.views.plans import begin, show_plans

__all__ = [
    "begin",
    "cancel",
    "change",
    "go_to_portal",
    "resume",
    "return_from_stripe",
    "show_changes",
    "show_earnings_rules",
    "show_mine",
    "show_plans",
]
