"""Verified email addresses: which people have shown that their address is theirs."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from accounts.models import User


def has_verified_address(user: User) -> bool:
    """Whether the address that the site writes to was verified: its owner followed the link in a mail."""
    return is_verified(user, user.email)


def is_verified(user: User, address: str) -> bool:
    """Whether this person has shown that the address is theirs."""
    return bool(EmailAddress.objects.filter(user=user, email__iexact=address, verified=True).exists())


def record_verified_address(user: User) -> None:
    """Record a person's address as verified, without a mail: for accounts made by a command. A repeat does nothing."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
