"""Plans and their prices, subscriptions and their history, the periods that were paid for, and what these gave.

Beside them what Stripe's catalogue has of items that are sold once.
"""

from subscriptions.models.access import AccessShare, AccessSlice, AccessUse
from subscriptions.models.credit import LessonCredit
from subscriptions.models.follow_up import FollowUp
from subscriptions.models.item_price import ItemPrice
from subscriptions.models.period import SubscriptionPeriod
from subscriptions.models.plan import Plan, PlanPrice
from subscriptions.models.subscription import Subscription, SubscriptionChange

__all__ = [
    "AccessShare",
    "AccessSlice",
    "AccessUse",
    "FollowUp",
    "ItemPrice",
    "LessonCredit",
    "Plan",
    "PlanPrice",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionPeriod",
]
