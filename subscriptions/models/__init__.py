"""Plans and their prices, subscriptions and their history, the periods that were paid for, and what these gave."""

from subscriptions.models.access import AccessShare, AccessSlice, AccessUse
from subscriptions.models.credit import LessonCredit
from subscriptions.models.follow_up import FollowUp
from subscriptions.models.period import SubscriptionPeriod
from subscriptions.models.plan import Plan, PlanPrice
from subscriptions.models.subscription import Subscription, SubscriptionChange

__all__ = [
    "AccessShare",
    "AccessSlice",
    "AccessUse",
    "FollowUp",
    "LessonCredit",
    "Plan",
    "PlanPrice",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionPeriod",
]
