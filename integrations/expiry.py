"""Mail people before their tokens expire, so that no program stops by surprise."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat, Now
from django.urls import reverse

from accounts.moments import write_moment
from accounts.time_zones import zone_of_user
from integrations.models import ApiToken
from notifications.models import Mail
from notifications.outbox import mails_gathered, queue_mail

# Enough time to plan a replacement, and a last call. The last one comes first: a token that is due for both gets one.
_DAYS_BEFORE = (1, 14)


def remind_of_expiring_tokens() -> int:
    """Mail the owners of tokens that expire in 14 days, and again a day before; returns how many mails were queued."""
    queued = 0
    for days in _DAYS_BEFORE:
        with transaction.atomic(), mails_gathered():
            for token in _due(days):
                _queue_reminder(token, days)
                queued += 1
    return queued


def _due(days: int) -> QuerySet[ApiToken]:
    """Tokens with fewer days left, which had more when they were made and whose owner was not yet told."""
    key = Concat(Value("api-token:"), Cast("pk", CharField()), Value(f":expires:{days}"), output_field=CharField())
    before, next_mail = timedelta(days=days), timedelta(days=max((d for d in _DAYS_BEFORE if d < days), default=0))
    return (
        ApiToken.objects.filter(
            revoked_at=None,
            user__is_active=True,
            expires_at__gt=Now() + next_mail,
            expires_at__lte=Now() + before,
            created_at__lt=F("expires_at") - before,
        )
        .annotate(mail_key=key)
        .exclude(Exists(Mail.objects.filter(key=OuterRef("mail_key"))))
        .select_related("user")
    )


def _queue_reminder(token: ApiToken, days: int) -> None:
    queue_mail(
        key=f"api-token:{token.pk}:expires:{days}",
        to=token.user,
        template="integrations/mail/token_expires",
        context={
            "name": token.name,
            "prefix": token.prefix,
            "at": write_moment(token.expires_at, zone_of_user(token.user)),
            "is_last_call": days == min(_DAYS_BEFORE),
            "tokens_path": reverse("integrations:tokens"),
        },
    )
