"""Redeem a gift: its code is used once, and its domain hands over what was bought."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications.outbox import mails_gathered
from payments.contracts import CannotReceive
from payments.deadlocks import retried_after_deadlock
from payments.gifts.codes import find_gift
from payments.gifts.mails import queue_gift_redeemed
from payments.models import Gift, Order, OrderLine
from payments.registry import UnknownDomain, handler_for
from webhooks.announcing import announcements_gathered

log = structlog.get_logger()


class CannotRedeem(Exception):
    """The gift cannot be redeemed by this person now. The message is shown to them."""


class GiftUnknown(CannotRedeem):
    """No gift has this code."""

    def __init__(self) -> None:
        super().__init__("We do not know this code. Please check how it is written.")


@retried_after_deadlock
def redeem_gift(*, text: str, user: User) -> Gift:
    """Hand the gift with this code over to the person. A repeat by the same person returns it again.

    Raises GiftUnknown or CannotRedeem. Of two people at once one gets it: the order's lock decides.
    """
    found = find_gift(text)
    if found is None:
        raise GiftUnknown
    with transaction.atomic(), mails_gathered(), announcements_gathered():
        gift = _lock(found)
        if gift.code_digest != found.code_digest:
            raise GiftUnknown
        if gift.receiver_id == user.pk and not gift.is_over:
            return gift
        if refusal := why_not_redeemable(gift):
            raise CannotRedeem(refusal)
        gift.receiver = user
        gift.redeemed_at = timezone.now()
        # Nothing is sent to the address any more, and it is known nowhere else.
        gift.receiver_email = ""
        gift.save(update_fields=["receiver", "redeemed_at", "receiver_email"])
        _hand_over(gift)
        queue_gift_redeemed(gift)
    log.info("gift_redeemed", order=gift.line.order.number, line=gift.line_id)
    return gift


def why_not_redeemable(gift: Gift) -> str:
    """Why this gift cannot be redeemed now; empty if it can. Read with `line`."""
    line = gift.line
    if gift.is_over:
        return "This gift was cancelled."
    if gift.redeemed_at:
        return "This gift has been redeemed already."
    if gift.voided_at:
        return "The code of this gift is no longer valid. Please ask the person who gave it to you for a new one."
    if not gift.is_waiting:
        return "This gift cannot be redeemed."
    if (
        line.disputed_minor
        or line.refunded_quantity
        or (line.amount_minor and line.refunded_minor == line.amount_minor)
    ):
        return "The payment for this gift is in question, so it cannot be redeemed now. Please ask who gave it to you."
    return ""


def _lock(found: Gift) -> Gift:
    """Lock the gift's order, as refunds and cancellations do, and read the gift as it is now."""
    order = Order.objects.select_for_update(of=("self",)).select_related("user").get(pk=found.line.order_id)
    gift = Gift.objects.select_for_update(of=("self",)).select_related("line__teacher").get(pk=found.pk)
    gift.line.order = order
    gift.line.gift = gift
    return gift


def _hand_over(gift: Gift) -> None:
    line: OrderLine = gift.line
    try:
        handler_for(line.domain).hand_over(line.as_sold())
    except UnknownDomain:
        raise CannotRedeem("This is no longer offered here. Please write to us.") from None
    except CannotReceive as refusal:
        raise CannotRedeem(str(refusal)) from refusal
