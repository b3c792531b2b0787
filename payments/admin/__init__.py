"""What staff see of orders, payments, refunds and Stripe's events. Money is moved by functions, never by editing."""

import djstripe.admin  # noqa: F401  # registers what is taken away below
from django.contrib import admin
from djstripe.models import APIKey, WebhookEndpoint

from payments.admin.events import WebhookEventAdmin
from payments.admin.orders import OrderAdmin, PaymentAdmin
from payments.admin.refunds import RefundAdmin

__all__ = ["OrderAdmin", "PaymentAdmin", "RefundAdmin", "WebhookEventAdmin"]

# dj-stripe's pages for keys and endpoints would store secrets in clear; ours come from the environment.
for model in (APIKey, WebhookEndpoint):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
