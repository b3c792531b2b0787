"""Queue a mail: a row in the caller's transaction, delivered by a worker after commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from accounts.models import User
from jobs.wakeups import wake_after_commit
from notifications.attachments import Attachment, RenderedAttachment
from notifications.models import Mail
from notifications.parts import join_parts
from notifications.plain_json import as_plain_json
from notifications.series import replace_waiting


@dataclass(slots=True)
class _Gathered:
    """The mails of a block, and for the key of each that may join another the key of that other."""

    mails: list[Mail] = field(default_factory=list)
    part_of: dict[str, str] = field(default_factory=dict)


_gathered: ContextVar[_Gathered | None] = ContextVar("gathered mails", default=None)


@contextmanager
def mails_gathered() -> Iterator[None]:
    """Queue all mails of this block in one statement at its end, or none if it raises.

    For changes that queue several mails: one row costs as much as ten together. Use it inside the transaction, not
    around it. A nested block passes its mails on to the outer one.
    """
    outer = _gathered.get()
    inner = _Gathered()
    token = _gathered.set(inner)
    try:
        yield
    finally:
        _gathered.reset(token)
    if outer is None:
        _store(inner)
    else:
        outer.mails += inner.mails
        outer.part_of |= inner.part_of


def queue_mail(  # noqa: PLR0913  # each is a part of the mail, or identifies it
    *,
    key: str,
    to: User | str,
    template: str,
    context: Mapping[str, Any],
    attachments: Sequence[Attachment | RenderedAttachment] = (),
    series: str = "",
    part_of: str = "",
) -> None:
    """Queue one mail in the current transaction; no effect if a mail with this key was queued before.

    `template` stands for three files: `<template>.subject.txt`, `<template>.txt`, `<template>.html`. `context` has
    plain JSON values only, which are stored now; amounts are passed as text. Delivery adds `base_url`, `site_name`,
    `recipient_name` and, for text and HTML, `subject`. Users get mails in their language.

    `series` is for changes that may be followed by others, such as "workshop:7:moved": the mail waits for two minutes
    and replaces one that is waiting for the same person, and their number per day is limited. The caller must have
    locked the changed object.

    `part_of` is the key of a mail to the same person that this one joins if both are queued in one `mails_gathered`
    block: delivery renders `<template>.part.txt` and `.part.html` inside the other. Otherwise it is sent by itself.
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
    queued = _Gathered() if gathered is None else gathered
    queued.mails.append(mail)
    if part_of:
        queued.part_of[key] = part_of
    if gathered is None:
        _store(queued)


def _store(gathered: _Gathered) -> None:
    mails = join_parts(gathered.mails, gathered.part_of)
    if not mails:
        return
    replace_waiting(mails)
    # ON CONFLICT DO NOTHING: a repeat must not abort the caller's transaction.
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    wake_after_commit(Mail)


def send_again(mail: Mail) -> Mail:
    """Queue a copy of this mail to the person's current address, and return it.

    The copy is a separate row, so that the first sending stays on record, with its own Message-ID, so that mail programs
    do not hide it as a repeat. A second call before the copy is sent returns the same copy.
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
    _store(_Gathered([again]))
    return Mail.objects.get(key=key)
