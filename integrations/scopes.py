"""What a token may do. A token never does more than its owner may."""

from __future__ import annotations

from django.db import models


class Scope(models.TextChoices):
    """One permission of a token. Reading the catalogue needs none."""

    PURCHASES_READ = "purchases:read", "See the cart, orders, payments and receipts"
    PURCHASES_WRITE = "purchases:write", "Change the cart, pay, cancel and get refunds"
    LESSONS_READ = "lessons:read", "See lessons and requests for lessons"
    LESSONS_WRITE = "lessons:write", "Request lessons, answer requests and withdraw them"
    LEARNING_READ = "learning:read", "See workshop tickets, courses and progress"
    LEARNING_WRITE = "learning:write", "Mark lessons of courses as done"
    SALES_READ = "sales:read", "See what you sold, and the participants of your workshops"
    EARNINGS_READ = "earnings:read", "See earnings, balances and payouts"
    WEBHOOKS_READ = "webhooks:read", "See webhook endpoints and what was sent to them"
    WEBHOOKS_WRITE = "webhooks:write", "Make, change and delete webhook endpoints, and send messages again"
    PAYOUTS_WRITE = "payouts:write", "Request payouts to your own Stripe account"
