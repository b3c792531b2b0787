"""Plans and their prices, subscriptions, the periods that were paid for, and the history of each subscription."""

from subscriptions.models.follow_up import FollowUp
from subscriptions.models.period import SubscriptionPeriod
from subscriptions.models.plan import Plan, PlanPrice
from subscriptions.models.subscription import Subscription, SubscriptionChange

__all__ = ["FollowUp", "Plan", "PlanPrice", "Subscription", "SubscriptionChange", "SubscriptionPeriod"]
