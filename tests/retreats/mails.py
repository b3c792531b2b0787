"""Mails to guests, queued in the transaction of the event they report."""

from accounts.models import User
from notifications.outbox import queue_mail


def queue_stay_confirmed(line):
    _queue(line, key=f"retreat-stay:{line.id}:confirmed", words="is confirmed")


def queue_stay_revoked(line, quantity, reason):
    _queue(line, key=f"retreat-stay:{line.id}:revoked:{quantity}", words=f"is cancelled for {quantity}: {reason}")


def _queue(line, *, key, words):
    queue_mail(
        key=key,
        to=User.objects.get(pk=line.buyer_id),
        template="retreats/mail/stay",
        context={"title": line.title, "words": words},
    )
