"""Invariants of gifts."""

from __future__ import annotations

from django.db.models import Q

from jobs.invariants import Invariant
from payments.models import OrderLine


class PaidGiftsHaveTheirCodes:
    name = "payments.paid_gifts_have_their_codes"
    promise = "Each line that is a gift says who it is for, and has a code from its payment on; no other line has one."

    def breaking(self) -> list[int]:
        gifts = OrderLine.objects.exclude(gift_key="")
        was_delivered = Q(state__in=[OrderLine.State.FULFILLED, OrderLine.State.REVOKED])
        incomplete = gifts.filter(Q(gift=None) | (was_delivered & Q(gift__given_at=None)))
        others = OrderLine.objects.filter(gift_key="", gift__isnull=False)
        return sorted({line.pk for line in (incomplete | others).distinct()})


INVARIANTS: tuple[Invariant, ...] = (PaidGiftsHaveTheirCodes(),)
