"""Ask Stripe about teachers' accounts by ourselves, since an event may be missed and no list of Stripe's has them all."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from payments.models import BankPayout, ConnectedAccount, Payout, PayoutTransfer
from payments.payouts import gateway
from payments.payouts.accounts import refresh_account
from payments.payouts.bank_payouts import record_bank_payout
from payments.stripe_api import StripeRefused

log = structlog.get_logger()

# Banks return a payout within days, in a few countries after weeks.
_MONEY_MAY_COME_BACK_FOR = timedelta(days=30)


def follow_up_accounts() -> int:
    """Refresh the accounts that something may still happen to, and their bank payouts; returns how many.

    Raises StripeUnreachable.
    """
    looked_at = 0
    for account in accounts_to_follow_up().iterator():
        try:
            refresh_account(account)
            _record_bank_payouts(account)
        except StripeRefused as refusal:
            log.warning("account_not_followed_up", account=account.stripe_account_id, problem=str(refusal))
        looked_at += 1
    return looked_at


def accounts_to_follow_up() -> QuerySet[ConnectedAccount]:
    """Current accounts that cannot be paid yet, and all that were paid recently without the money having arrived."""
    since = timezone.now() - _MONEY_MAY_COME_BACK_FOR
    recent = PayoutTransfer.objects.filter(
        account=OuterRef("pk"), payout__status=Payout.Status.PAID, payout__paid_at__gte=since
    )
    on_its_way = recent.exclude(bank_payout__status=BankPayout.Status.PAID)
    is_incomplete = Q(replaced_at=None) & ~Q(can_receive_transfers=True, can_pay_out=True)
    return ConnectedAccount.objects.filter(is_incomplete | Q(Exists(on_its_way)), closed_at=None).order_by("pk")


def _record_bank_payouts(account: ConnectedAccount) -> None:
    since = timezone.now() - _MONEY_MAY_COME_BACK_FOR
    if not account.transfers.filter(payout__paid_at__gte=since).exists():
        return
    as_of = timezone.now()
    for payout_id in gateway.list_bank_payout_ids(account_id=account.stripe_account_id, created_from=since):
        state = gateway.retrieve_bank_payout(account_id=account.stripe_account_id, payout_id=payout_id)
        record_bank_payout(account, state, as_of=as_of)
