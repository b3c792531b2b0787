"""What staff may do with a gift: mail it again, withdraw its code, and give it a new one."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from payments.gifts.codes import digest_for
from payments.gifts.mails import mail_receiver
from payments.models import Gift, OrderLine


class GiftRefused(Exception):
    """This cannot be done with the gift. The message is for staff."""


@transaction.atomic
def send_gift_again(*, gift_id: int) -> Gift:
    """Mail the receiver once more. Raises GiftRefused."""
    gift = _lock_waiting(gift_id)
    if not gift.receiver_email:
        raise GiftRefused("The buyer gave no email address: they pass the gift on themselves.")
    if gift.voided_at:
        raise GiftRefused("Its code is withdrawn. Give it a new one first.")
    mail_receiver(gift, again=True)
    return gift


@transaction.atomic
def void_code(*, gift_id: int) -> Gift:
    """Make the code useless, for example because it was posted in public. Moves no money. Raises GiftRefused."""
    gift = _lock_waiting(gift_id)
    gift.voided_at = gift.voided_at or timezone.now()
    gift.save(update_fields=["voided_at"])
    return gift


@transaction.atomic
def renew_code(*, gift_id: int) -> Gift:
    """Replace the code by a new one, which the giver finds on the gift's page. Raises GiftRefused."""
    gift = _lock_waiting(gift_id)
    gift.code_number += 1
    gift.code_digest = digest_for(gift)
    gift.voided_at = None
    gift.save(update_fields=["code_number", "code_digest", "voided_at"])
    return gift


def mail_due_gifts() -> int:
    """Mail the gifts whose day has come; returns how many. Each is its own transaction."""
    today = timezone.localdate()
    due = Gift.objects.filter(
        mailed_at=None, given_at__isnull=False, redeemed_at=None, voided_at=None, line__state=OrderLine.State.FULFILLED
    ).exclude(receiver_email="")
    mailed = 0
    for gift_id in due.exclude(send_on__gt=today).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            gift = _lock(gift_id)
            if gift.is_to_mail(today):
                mail_receiver(gift)
                mailed += 1
    return mailed


def _lock_waiting(gift_id: int) -> Gift:
    gift = _lock(gift_id)
    if not gift.is_waiting:
        raise GiftRefused(f"{gift.state}: nothing is left to redeem.")
    return gift


def _lock(gift_id: int) -> Gift:
    """The gift, locked, with the line as it is now. Redeeming locks the order first, and then this row."""
    gifts = Gift.objects.select_for_update(of=("self",)).select_related("line__order__user", "line__teacher")
    return gifts.get(pk=gift_id)
