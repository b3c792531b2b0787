"""Queue a mail: a row in the caller's transaction, delivered by a worker after commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from typing import Any

from accounts.models import User
from jobs.wakeups import wake_after_commit
from notifications.attachments import Attachment, RenderedAttachment
from notifications.models import Mail
from notifications.plain_json import as_plain_json
from notifications.series import take_place_of_waiting

_gathered: ContextVar[list[Mail] | None] = ContextVar("gathered mails", default=None)


@contextmanager
def mails_gathered() -> Iterator[None]:
    """Queue every mail of this block in one statement at its end, or none of them if it raises.

    For what tells many people at once: a row alone costs as much as ten together. Enclose the transaction's effect, not
    the transaction. A block inside another hands its mails on to it.
    """
    outer = _gathered.get()
    mails: list[Mail] = []
    token = _gathered.set(mails)
    try:
        yield
    finally:
        _gathered.reset(token)
    if outer is None:
        _store(mails)
    else:
        outer += mails


def queue_mail(  # noqa: PLR0913  # each is part of a mail, or what tells it from others
    *,
    key: str,
    to: User | str,
    template: str,
    context: Mapping[str, Any],
    attachments: Sequence[Attachment | RenderedAttachment] = (),
    series: str = "",
) -> None:
    """Queue one mail in the current transaction; nothing happens if one with this key was queued before.

    `template` names three files without their endings: `<template>.subject.txt`, `<template>.txt`, `<template>.html`.
    `context` holds plain JSON values only, frozen now; amounts are passed written out. Delivery adds `base_url`,
    `site_name`, `recipient_name` and, for text and HTML, `subject`. A user is written to in their language.

    `series` is for news of something that may change again, such as "workshop:7:moved": the mail waits for two minutes,
    takes the place of one that waits for the same person, and there are few a day. The caller has locked what it is about.
    """
    mail = Mail(
        key=key,
        to=to.email if isinstance(to, User) else to,
        user=to if isinstance(to, User) else None,
        language=to.language if isinstance(to, User) else Mail._meta.get_field("language").default,
        template=template,
        context=as_plain_json(context),
        attachments=[asdict(attachment) for attachment in attachments],
        series=series,
    )
    gathered = _gathered.get()
    if gathered is None:
        _store([mail])
    else:
        gathered.append(mail)


def _store(mails: Sequence[Mail]) -> None:
    if not mails:
        return
    take_place_of_waiting(mails)
    # ON CONFLICT DO NOTHING: a repeat inside the caller's transaction must not abort it.
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    wake_after_commit(Mail)


def send_again(mail: Mail) -> Mail:
    """Queue a second mail like this one on purpose, to the person's present address.

    A row of its own, so that what was sent before stays on record, and with its own Message-ID, so that no mail program
    hides it as a repeat. Pressed twice before the first went out, it is one.
    """
    earlier = Mail.objects.filter(again_of=mail, sent_at__isnull=False).count()
    key = f"again:{mail.pk}:{earlier + 1}"
    again = Mail(
        key=key,
        again_of=mail,
        to=mail.user.email if mail.user else mail.to,
        user=mail.user,
        language=mail.language,
        template=mail.template,
        context=mail.context,
        attachments=mail.attachments,
    )
    _store([again])
    return Mail.objects.get(key=key)
