"""Render a mail and send it to the mail server: once, unless the worker dies after its OK but before recording it.

In that case a second sending cannot be avoided. It has the same Message-ID, by which mail programs and people who
investigate recognise the repeat; nothing else happens twice.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models.functions import Now
from django.template import Context
from django.template.backends.django import Template
from django.template.loader import get_template
from django.utils import translation
from django.utils.safestring import SafeString

from accounts.addresses import is_verified
from jobs.models import WorkParked
from notifications.attachments import content_of, file_name
from notifications.hidden_texts import fill_hidden, has_hidden
from notifications.models import Mail

_SUBJECT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """The texts of a mail; stored in the row when sent, so that staff see exactly what the recipient got."""

    subject: str
    text: str
    html: str


def deliver(mail: Mail) -> None:
    """Send a claimed mail and record what was sent. No transaction is open during the communication with the server.

    Raises WorkParked if the server refuses this mail permanently, and the backend's exception otherwise.
    """
    rendered = render(mail)
    sent = render(mail, with_hidden=True) if has_hidden(mail.context) else rendered
    message = _message(mail, sent)
    try:
        message.send()
    except Exception as error:
        if _is_permanent(error):
            raise WorkParked(f"The mail server refuses it permanently: {error!r}") from error
        raise
    mail.mark_done(subject=rendered.subject, text_body=rendered.text, html_body=rendered.html, sent_at=Now())


def render(mail: Mail, *, with_hidden: bool = False) -> RenderedMail:
    """Render the mail's three templates in its language. Raises TemplateDoesNotExist.

    Hidden texts, such as the code of a gift, are only in what is sent, not in what is stored or previewed.
    Only the HTML is escaped; subject and text contain names unchanged.
    """
    # Of an address that was not verified, only another person may have said whose it is. We quote nothing to it that
    # this person typed, so that our mails carry no text of theirs to strangers.
    may_quote = mail.user is not None and is_verified(mail.user, mail.to)
    context = {
        **fill_hidden(mail.context, is_shown=with_hidden),
        "base_url": settings.BASE_URL,
        "site_name": settings.SITE_NAME,
        "recipient_name": mail.user.get_short_name() if mail.user and may_quote else "",
        "may_quote": may_quote,
        "language": mail.language,
    }
    parts = context.pop("parts", [])
    with translation.override(mail.language):
        context["parts"] = [_render_part(part, context) for part in parts]
        subject = " ".join(_render_template(f"{mail.template}.subject.txt", context, autoescape=False).split())
        context["subject"] = subject
        text = _render_template(f"{mail.template}.txt", context, autoescape=False)
        html = _render_template(f"{mail.template}.html", context, autoescape=True)
    # Neither mail servers nor text columns accept NUL.
    return RenderedMail(
        subject=subject.replace("\x00", "")[:_SUBJECT_LENGTH],
        text=re.sub(r"\n{3,}", "\n\n", text).strip().replace("\x00", "") + "\n",
        html=html.replace("\x00", ""),
    )


def _render_part(part: dict[str, Any], context: dict[str, Any]) -> dict[str, SafeString]:
    """The text and HTML of a mail that joined this one; the HTML is escaped already."""
    about = {**part["context"], **context}
    text = _render_template(f"{part['template']}.part.txt", about, autoescape=False)
    html = _render_template(f"{part['template']}.part.html", about, autoescape=True)
    return {"text": text, "html": html}


def message_id(mail: Mail) -> str:
    """The Message-ID: the same for every sending of this row, and without information about its content."""
    digest = hashlib.sha256(f"{settings.SECRET_KEY} {mail.key}".encode()).hexdigest()[:32]
    return f"<{digest}@{urlsplit(settings.BASE_URL).hostname}>"


def _render_template(name: str, context: dict[str, Any], *, autoescape: bool) -> SafeString:
    # The loader's wrapper always escapes; the wrapped template follows the context's setting.
    template = cast("Template", get_template(name)).template
    return template.render(Context(context, autoescape=autoescape))


def _message(mail: Mail, rendered: RenderedMail) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        to=[mail.to],
        # Auto-Submitted prevents out-of-office replies.
        headers={"Message-ID": message_id(mail), "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(rendered.html, "text/html")
    for attachment in mail.attachments:
        message.attach(file_name(attachment), content_of(attachment), attachment["mime"])
    return message


def _is_permanent(error: Exception) -> bool:
    """Whether the server will always refuse this mail.

    A problem that the operator can fix is not permanent: a password, a sender address, a quota.
    """
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(_is_refusal(code) for code, _ in error.recipients.values())
        case smtplib.SMTPDataError():
            return _is_refusal(error.smtp_code)
        case smtplib.SMTPNotSupportedError() | AnymailRecipientsRefused() | AnymailInvalidAddress():
            return True
    return False


def _is_refusal(smtp_code: int) -> bool:
    return 500 <= smtp_code < 600  # noqa: PLR2004  # RFC 5321: 5yz is a permanent negative reply
