"""Teachers' Stripe accounts: set up at Stripe's own pages, and kept as Stripe last reported them."""

from __future__ import annotations

import uuid
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import Teacher
from payments.models import ConnectedAccount
from payments.payouts import gateway
from payments.payouts.requests import current_account
from payments.payouts.stripe_objects import AccountState

log = structlog.get_logger()

# Where Stripe opens connected accounts (docs: "Cross-border payouts" and "Global availability"), as Express accounts
# that receive transfers of a platform in another country or the same.
COUNTRIES = (
    "AT", "AU", "BE", "BG", "CA", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR", "HK", "HR",
    "HU", "IE", "IT", "JP", "LI", "LT", "LU", "LV", "MT", "MX", "NL", "NO", "NZ", "PL", "PT", "RO", "SE", "SG", "SI",
    "SK", "TH", "US",
)  # fmt: skip


class CannotStartOnboarding(Exception):
    """The message is for the teacher."""


def start_onboarding(teacher: Teacher, *, country: str, return_url: str, refresh_url: str) -> str:
    """The address of Stripe's form; creates the account first if there is none, or if the last one was closed.

    Raises CannotStartOnboarding, StripeUnreachable or StripeRefused. Calls Stripe, so never inside a transaction.
    """
    account = current_account(teacher.pk)
    if account is None or account.closed_at is not None:
        if country not in COUNTRIES:
            raise CannotStartOnboarding("Choose the country of your bank account.")
        account = _create(teacher, country, replaced=account)
    return gateway.create_onboarding_link(account, return_url=return_url, refresh_url=refresh_url)


def replace_account(teacher: Teacher, *, country: str, return_url: str, refresh_url: str) -> str:
    """Let the teacher set up another account, for example in another country. The old one is paid no more.

    Raises as start_onboarding does.
    """
    if country not in COUNTRIES:
        raise CannotStartOnboarding("Choose the country of your bank account.")
    account = _create(teacher, country, replaced=current_account(teacher.pk))
    return gateway.create_onboarding_link(account, return_url=return_url, refresh_url=refresh_url)


def _create(teacher: Teacher, country: str, *, replaced: ConnectedAccount | None) -> ConnectedAccount:
    # Two clicks at once are one account, since they send the same key: it names what the account will replace.
    key = uuid.uuid5(_reference_of(teacher), f"{country}:{replaced.stripe_account_id if replaced else ''}")
    state = gateway.create_connected_account(
        country=country,
        email=teacher.user.email,
        teacher_reference=teacher.slug,
        idempotency_key=f"account-{key}",
    )
    with transaction.atomic():
        Teacher.objects.select_for_update(no_key=True).get(pk=teacher.pk)
        ConnectedAccount.objects.filter(teacher=teacher, replaced_at=None).exclude(stripe_account_id=state.id).update(
            replaced_at=timezone.now()
        )
        account, _ = ConnectedAccount.objects.get_or_create(
            stripe_account_id=state.id,
            defaults={"teacher": teacher, "api": gateway.api_of_new_accounts(), "country": state.country or country},
        )
    log.info("connected_account_created", account=account.stripe_account_id, teacher=teacher.pk)
    return account


def _reference_of(teacher: Teacher) -> uuid.UUID:
    """A name of the teacher that a restored backup would not give to another person: when they applied, and who."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"teacher:{teacher.pk}:{teacher.applied_at.isoformat()}:{teacher.user.email}")


def refresh_account(account: ConnectedAccount) -> ConnectedAccount:
    """Ask Stripe for the account's state and record it. Raises StripeUnreachable or StripeRefused."""
    asked_at = timezone.now()
    return record_account(gateway.retrieve_account(account), as_of=asked_at)


def record_account(state: AccountState, *, as_of: datetime) -> ConnectedAccount:
    """Record an account's state, unless a later one was recorded. `as_of` is when Stripe was asked.

    Raises ConnectedAccount.DoesNotExist.
    """
    with transaction.atomic():
        account = (
            ConnectedAccount.objects.select_for_update(of=("self",), no_key=True)
            .select_related("teacher")
            .get(stripe_account_id=state.id)
        )
        if account.state_as_of is not None and account.state_as_of > as_of:
            return account
        account.state_as_of = as_of
        account.closed_at = (account.closed_at or as_of) if state.is_closed else None
        account.country = state.country or account.country
        account.are_details_submitted = state.are_details_submitted
        account.can_receive_transfers = state.can_receive_transfers
        account.can_pay_out = state.can_pay_out
        account.disabled_reason = state.disabled_reason[:100]
        account.requirements_due = [name[:200] for name in state.requirements_due]
        account.save()
    log.info("connected_account_recorded", account=account.stripe_account_id, state=account.state)
    return account
