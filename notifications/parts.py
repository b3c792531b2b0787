"""Mails that join another one of the same moment, so that a person who bought four things gets one mail instead of five."""

from __future__ import annotations

from collections.abc import Sequence

from notifications.models import Mail


def join_parts(mails: Sequence[Mail], part_of: dict[str, str]) -> list[Mail]:
    """Put each mail into the one whose key `part_of` names for it, and return the mails that remain.

    A mail stays by itself if the other was not queued together with it. It is dropped if the other was queued before
    and contains it: it was delivered twice, and the person knows.
    """
    wholes = {mail.key: mail for mail in mails}
    remaining = []
    for mail in mails:
        whole = wholes.get(part_of.get(mail.key, ""))
        if whole is not None and whole.to == mail.to:
            _join(whole, mail)
        elif mail.key not in part_of or not _is_part_of_earlier(mail, part_of[mail.key]):
            remaining.append(mail)
    return remaining


def _join(whole: Mail, part: Mail) -> None:
    described = {"key": part.key, "template": part.template, "context": part.context}
    whole.context = {**whole.context, "parts": [*whole.context.get("parts", []), described]}
    whole.attachments = [*whole.attachments, *part.attachments]


def _is_part_of_earlier(mail: Mail, whole_key: str) -> bool:
    return Mail.objects.filter(key=whole_key, context__parts__contains=[{"key": mail.key}]).exists()
