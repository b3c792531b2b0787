"""The handler through which payments books what subscriptions cost. A line's reference is the id of its period.

Plans are not bought through the cart: people subscribe on Stripe's page, and Stripe charges the renewals.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse

from payments.contracts import (
    CancellationTerms,
    CannotDeliver,
    DomainHandler,
    Item,
    NotForSale,
    Quote,
    SoldLine,
    SoldOut,
)
from payments.references import read_id
from subscriptions import DOMAIN
from subscriptions.mails import queue_period_paid
from subscriptions.models import SubscriptionPeriod
from subscriptions.periods import open_period, revoke_period


class SubscriptionHandler(DomainHandler):
    """Implements `payments.contracts.DomainHandler` for what subscriptions cost."""

    domain = DOMAIN
    label = "Subscription"
    is_sold_in_carts = False
    revoke_one = revoke_many = "End what this payment gave"
    revoked_one = revoked_many = "ended with this payment"
    delivery_action = "Open subscription"

    def quote(self, items: Sequence[Item], buyer_id: int | None) -> Sequence[Quote | NotForSale]:  # noqa: ARG002  # none is for sale here
        return [
            NotForSale("Plans are not sold in the cart: choose one on the page of plans.", change_url=_plans_url())
            for _ in items
        ]

    def reserve(self, line: SoldLine, until: datetime) -> None:  # noqa: ARG002  # nothing runs out
        if _period_of(line) is None:
            raise SoldOut("This subscription does not exist.")

    def fulfil(self, line: SoldLine) -> None:
        period = _period_of(line)
        if period is None or period.line_id not in {None, line.id}:
            raise CannotDeliver("This payment belongs to no period of a subscription.")
        if period.line_id is None:
            period.line_id = line.id
            period.save(update_fields=["line"])
            queue_period_paid(period, line)
        open_period(period)

    def release(self, line: SoldLine) -> None:
        """Nothing was held."""

    def revoke(  # a period is one unit
        self,
        line: SoldLine,
        quantity: int,  # noqa: ARG002
        reason: str,  # noqa: ARG002
        places: Sequence[str] = (),  # noqa: ARG002
    ) -> None:
        period = SubscriptionPeriod.objects.select_for_update(of=("self",)).filter(line=line.id).first()
        if period is not None:
            revoke_period(period)

    def cancellation_terms(self, line: SoldLine) -> CancellationTerms:  # noqa: ARG002  # the same for all
        """Nothing: what was paid runs to the end of its period. People cancel the subscription instead."""
        return CancellationTerms(steps=[])

    def earned_at(self, line: SoldLine) -> datetime | None:  # noqa: ARG002  # no teacher has a share of the line
        return None

    def delivery_url(self, line: SoldLine) -> str:  # noqa: ARG002  # one page shows all of it
        return reverse("subscriptions:mine")


def _plans_url() -> str:
    return reverse("subscriptions:plans")


def _period_of(line: SoldLine) -> SubscriptionPeriod | None:
    """The period that a line pays for, locked; None for a reference that names none of this buyer."""
    period_id = read_id(line.reference)
    if period_id is None:
        return None
    periods = SubscriptionPeriod.objects.select_for_update(of=("self",)).select_related(
        "price__plan", "subscription__user", "subscription__price__plan"
    )
    return periods.filter(pk=period_id, subscription__user=line.buyer_id).first()
