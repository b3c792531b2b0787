"""The mails about gifts.

The receiver's address was typed by the buyer and is not verified, so the mail to it quotes nothing that the buyer typed but
names, which are one line without links. The message is on the gift's page. The code is rendered at delivery, and not stored.
"""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from notifications.attachments import RenderedAttachment
from notifications.hidden_texts import hidden_text
from notifications.outbox import queue_mail
from payments.contracts import purchase_mail_key
from payments.gifts.codes import code_of
from payments.models import Gift

GIFT_RENDERER = "payments.gift"
LINK_RENDERER = "payments.gift_link"


def queue_gift_bought(gift: Gift) -> None:
    """Send the giver the gift to print or pass on, within the mail that confirms the order."""
    order = gift.line.order
    queue_mail(
        key=f"gift:{gift.pk}:bought",
        to=order.user,
        template="payments/mail/gift_bought",
        context={
            **_about(gift),
            "path": gift.get_absolute_url(),
            "is_mailed": bool(gift.receiver_email),
            "send_on": _day(gift),
        },
        attachments=[_paper(gift)],
        part_of=purchase_mail_key(order.number),
    )


def mail_receiver(gift: Gift, *, again: bool = False) -> None:
    """Mail the gift to the address that the buyer typed, and record that. `again` is for staff."""
    gift.mailed_at = timezone.now()
    gift.save(update_fields=["mailed_at"])
    times = f":{gift.mailed_at.isoformat()}" if again else ""
    queue_mail(
        key=f"gift:{gift.pk}:received:{gift.code_number}{times}",
        to=gift.receiver_email,
        template="payments/mail/gift_received",
        context={
            **_about(gift),
            "has_message": bool(gift.message),
            "link": hidden_text(renderer=LINK_RENDERER, reference=str(gift.reference)),
        },
        attachments=[_paper(gift)],
    )


def queue_gift_redeemed(gift: Gift) -> None:
    """Tell the giver that their gift was redeemed. Not by whom: the code may have been passed on."""
    queue_mail(
        key=f"gift:{gift.pk}:redeemed",
        to=gift.line.order.user,
        template="payments/mail/gift_redeemed",
        context={**_about(gift), "path": gift.get_absolute_url()},
    )


def link_of(code: str) -> str:
    """The address of the page on which a code is redeemed. Logs leave out what is named a token."""
    return f"{settings.BASE_URL}{reverse('payments:gift_redeem')}?token={code}"


def render_link_of(reference: str) -> bytes:
    """The link of a gift for the mail to its receiver. Raises Gift.DoesNotExist."""
    return link_of(code_of(Gift.objects.get(reference=reference))).encode()


def _about(gift: Gift) -> dict[str, str]:
    line = gift.line
    return {
        "receiver": gift.receiver_name,
        "giver": line.order.user.display_name,
        "title": line.title,
        "description": line.description,
        "order_number": line.order.number,
    }


def _day(gift: Gift) -> str:
    return gift.send_on.strftime("%-d %B %Y") if gift.send_on and gift.send_on > timezone.localdate() else ""


def _paper(gift: Gift) -> RenderedAttachment:
    return RenderedAttachment(
        name="gift.pdf", mime="application/pdf", renderer=GIFT_RENDERER, reference=str(gift.reference)
    )
