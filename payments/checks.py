"""System checks: domains with orders that are not delivered yet have a handler, and so do those with a rate of tax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

from payments.models import Order, OrderLine
from payments.registry import registered_domains
from payments.tax.rates import EVERY_DOMAIN


@register(Tags.database)
def check_open_orders_have_handlers(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  # part of the interface of checks
    databases: Sequence[str] | None = None,
    **_: Any,
) -> list[CheckMessage]:
    """Report domains that were removed while open orders hold lines of them: those lines could not be delivered."""
    if not databases or OrderLine._meta.db_table not in connection.introspection.table_names():
        return []  # before the first migration
    open_states = [Order.State.AWAITING_PAYMENT, Order.State.PAYMENT_PENDING]
    sold = set(
        OrderLine.objects.filter(order__state__in=open_states).order_by().values_list("domain", flat=True).distinct()
    )
    return [
        Error(f"Open orders hold lines of the domain {domain!r}, which has no handler.", id="payments.E001")
        for domain in sorted(sold - registered_domains())
    ]


@register
def check_rates_are_of_domains(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  # part of the interface of checks
    **_: Any,
) -> list[CheckMessage]:
    """Report rates of tax that would never apply, since nothing is sold under the name: a slip of the pen taxes wrongly."""
    named = {domain for domain, _, _ in settings.TAX_RATES} - {EVERY_DOMAIN}
    return [
        Error(
            f"TAX_RATES has a rate for {domain!r}, but there is no such domain.",
            hint=f"Use {', '.join(sorted(registered_domains()))}, or * for all of them.",
            id="payments.E002",
        )
        for domain in sorted(named - registered_domains())
    ]
