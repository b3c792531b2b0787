"""Mails about accounts: allauth's mails, queued as rows like every other mail.

It is not in `accounts`, because that app may not import this one. settings.ACCOUNT_ADAPTER refers to it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils import timezone

from accounts.canonical_addresses import canonical_address
from accounts.models import User, UserManager
from accounts.moments import write_moment
from accounts.redirects import is_own_address
from accounts.time_zones import zone_of_user
from notifications.outbox import queue_mail

# allauth's name of a mail → our template, and allauth's context variable with the link.
_WITH_LINK = {
    "account/email/email_confirmation": ("account/email/email_confirmation", "activate_url"),
    "account/email/email_confirmation_signup": ("account/email/email_confirmation", "activate_url"),
    "account/email/password_reset_key": ("account/email/password_reset", "password_reset_url"),
    "account/email/account_already_exists": ("account/email/account_already_exists", "password_reset_url"),
    "account/email/unknown_account": ("account/email/unknown_account", "signup_url"),
}
# Changes of which the owner of the account is notified, in case another person made them.
_NOTICES = {
    "account/email/password_changed": "Your password was changed.",
    "account/email/password_reset": "Your password was reset.",
    "account/email/password_set": "A password was set.",
    "account/email/email_changed": "The email address of your account was changed.",
    "account/email/email_confirm": "The email address of your account was verified.",
    "account/email/email_deleted": "An email address was removed from your account.",
    "mfa/email/totp_activated": "An authenticator app was set up for signing in.",
    "mfa/email/totp_deactivated": "The authenticator app was removed from your account.",
    "mfa/email/recovery_codes_generated": "New recovery codes were made; the old ones no longer work.",
    "mfa/email/webauthn_added": "A passkey or security key was added.",
    "mfa/email/webauthn_removed": "A passkey or security key was removed.",
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's adapter, with its mails queued instead of sent during the request."""

    def is_safe_url(self, url: str) -> bool:
        """Whether allauth may redirect there. Its own check raises for addresses that cannot be parsed."""
        return is_own_address(url)

    def clean_email(self, email: str) -> str:
        """The address in the form in which it is stored. Raises ValidationError for what cannot be mailed.

        Every form of allauth that takes an address calls it, so each way of writing one leads to the same account.
        """
        cleaned: str = super().clean_email(canonical_address(email))
        return cleaned

    def get_email_verification_redirect_url(self, _email_address: EmailAddress) -> str:
        """Back to what the person was about to buy, after signing in if they are not."""
        onwards = reverse("payments:continue")
        if self.request.user.is_authenticated:
            return onwards
        return f"{reverse('account_login')}?{urlencode({'next': onwards})}"

    def send_mail(self, template_prefix: str, email: str, context: Mapping[str, Any]) -> None:
        """Queue one mail. Every request sends a separate mail, so the key is random; allauth's limits stop floods.

        Raises KeyError for a mail of allauth that is not in the tables above, so that a missing text is noticed.
        """
        user = context.get("user")
        # allauth passes on what was typed into the form for resetting a password.
        email = UserManager.normalize_email(email)
        if template_prefix in _WITH_LINK:
            template, link = _WITH_LINK[template_prefix]
            words = {"path": _path_of(context[link])}
        else:
            template = "account/email/security_notice"
            zone = zone_of_user(user) if isinstance(user, User) else timezone.get_current_timezone()
            words = {
                "what": _NOTICES[template_prefix],
                "at": write_moment(context["timestamp"], zone),
                "ip": context["ip"],
            }
        queue_mail(
            key=f"account:{template.rpartition('/')[2]}:{uuid.uuid4().hex}",
            # The mail to a new address is sent before it is the user's address.
            to=user if isinstance(user, User) and user.email == email else email,
            template=template,
            context=words,
        )


def _path_of(url: str) -> str:
    """Remove scheme and host, which allauth takes from the request's Host header; delivery adds the site's own."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
