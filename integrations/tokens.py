"""Create, find and revoke tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.addresses import has_verified_address
from accounts.models import User
from accounts.moments import write_moment
from accounts.time_zones import zone_of_user
from integrations.models import ApiToken
from integrations.scopes import Scope
from notifications.outbox import queue_mail

# Scanners of leaked secrets find it by its beginning.
_BEGINNING = "lct_"
_RANDOM_BYTES = 30
_SECRET_LENGTH = len(_BEGINNING) + _RANDOM_BYTES * 4 // 3
_TOKENS_AT_MOST = 20
# `last_used_at` is for people: a write for every request would be waste.
_NOTED_EVERY = timedelta(minutes=1)


class TokenRefused(Exception):
    """The token cannot be created. The message is for its owner."""


@transaction.atomic
def create_token(*, user: User, name: str, scopes: Collection[Scope], lifetime: timedelta) -> tuple[ApiToken, str]:
    """A new token and its secret, which is not stored and cannot be shown again. Raises TokenRefused."""
    # Locked, so that of two requests sent at once the second one counts the first.
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not has_verified_address(user):
        raise TokenRefused("Please verify your email address first: follow the link in the email we sent you.")
    if ApiToken.objects.usable(timezone.now()).filter(user=user).count() >= _TOKENS_AT_MOST:
        raise TokenRefused(f"You have {_TOKENS_AT_MOST} tokens. Revoke one that is no longer used.")
    secret = _BEGINNING + secrets.token_urlsafe(_RANDOM_BYTES)
    token = ApiToken(
        user=user,
        name=name,
        prefix=secret[: ApiToken._meta.get_field("prefix").max_length],
        secret_hash=_hash(secret),
        scopes=sorted(scopes),
        expires_at=timezone.now() + lifetime,
    )
    try:
        with transaction.atomic():
            token.save()
    except IntegrityError as error:
        if "api_token_name_once_per_user" not in str(error):
            raise
        raise TokenRefused("You have a token with this name. Revoke it first, or choose another name.") from error
    _queue_notice(token)
    return token, secret


def find_token(secret: str) -> ApiToken | None:
    """The usable token with this secret, with its owner; records that it was used."""
    if len(secret) != _SECRET_LENGTH:
        return None
    now = timezone.now()
    token = ApiToken.objects.usable(now).select_related("user").filter(secret_hash=_hash(secret)).first()
    if token is not None:
        is_stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _NOTED_EVERY)
        ApiToken.objects.filter(is_stale, pk=token.pk).update(last_used_at=now)
    return token


def when_expired(secret: str) -> datetime | None:
    """When the token with this secret expired; None if it has not, was revoked, or does not exist.

    Only its holder can ask, so the answer tells nothing to others.
    """
    if len(secret) != _SECRET_LENGTH:
        return None
    expired = ApiToken.objects.filter(
        secret_hash=_hash(secret), revoked_at=None, user__is_active=True, expires_at__lte=timezone.now()
    )
    return expired.values_list("expires_at", flat=True).first()


def revoke_token(token: ApiToken) -> None:
    """End a token at once. A repeat changes nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _queue_notice(token: ApiToken) -> None:
    """Tell the owner, in case another person made the token."""
    queue_mail(
        key=f"api-token:{token.pk}",
        to=token.user,
        template="integrations/mail/token_created",
        context={
            "name": token.name,
            "scopes": token.scope_labels,
            "at": write_moment(timezone.now(), zone_of_user(token.user)),
            "tokens_path": reverse("integrations:tokens"),
        },
    )
