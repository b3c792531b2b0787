"""Write gifts with an order, and open them when it is paid."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from payments.gifts.codes import digest_for
from payments.gifts.contracts import GiftWish
from payments.gifts.mails import mail_receiver, queue_gift_bought
from payments.models import Gift, Order, OrderLine


def write_gifts(lines: Sequence[OrderLine], wishes: Sequence[GiftWish | None]) -> None:
    """Store what the buyer said about those of an order's lines that are gifts. Call when the order is written."""
    Gift.objects.bulk_create(
        Gift(
            line=line,
            receiver_name=wish.receiver,
            receiver_email=wish.email,
            message=wish.message,
            send_on=wish.send_on,
        )
        for line, wish in zip(lines, wishes, strict=True)
        if wish
    )


def open_gifts(order: Order, lines: Sequence[OrderLine]) -> None:
    """Give the delivered lines that are gifts their codes, and mail giver and receiver. Call in the settlement."""
    for line in lines:
        if not line.is_gift:
            continue
        gift = line.gift
        gift.line = line
        gift.given_at = order.paid_at
        gift.code_digest = digest_for(gift)
        gift.save(update_fields=["given_at", "code_digest"])
        queue_gift_bought(gift)
        if gift.is_to_mail(timezone.localdate()):
            mail_receiver(gift)
