"""Queue a mail: a row in the caller's transaction, delivered by a worker after commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accounts.models import User
from jobs.waking import wake_after_commit
from notifications.models import Mail


@dataclass(frozen=True, slots=True)
class Attachment:
    """A small text file sent along, such as a calendar entry."""

    name: str
    mime: str
    text: str


def queue_mail(
    *,
    key: str,
    to: User | str,
    template: str,
    context: Mapping[str, Any],
    attachments: Sequence[Attachment] = (),
) -> None:
    """Queue one mail in the current transaction; nothing happens if one with this key was queued before.

    `template` names three files without their endings: `<template>.subject.txt`, `<template>.txt`, `<template>.html`.
    `context` holds plain JSON values only, frozen now; amounts are passed written out.
    """
    user = to if isinstance(to, User) else None
    mail = Mail(
        key=key,
        to=user.email if user else to,
        user=user,
        template=template,
        context=dict(context),
        attachments=[asdict(attachment) for attachment in attachments],
    )
    # ON CONFLICT DO NOTHING: a repeat inside the caller's transaction must not abort it.
    Mail.objects.bulk_create([mail], ignore_conflicts=True)
    wake_after_commit(Mail)
