"""Ask Stripe about teachers' accounts by ourselves, since an event may be missed and no list of Stripe's has them all."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from notifications.alerts import clear_alert, raise_alert
from payments.models import BankPayout, ConnectedAccount, Payout, PayoutTransfer
from payments.payouts import gateway
from payments.payouts.accounts import refresh_account
from payments.payouts.bank_payouts import record_bank_payout
from payments.stripe_api import StripeRefused, StripeUnreachable

log = structlog.get_logger()

# Banks return a payout within days, in a few countries after weeks.
_MONEY_MAY_COME_BACK_FOR = timedelta(days=30)
# How often an account is looked at: an account of Accounts v2 sends only thin events, which are not received.
_LOOK_EVERY, _LOOK_AT_UNFINISHED_V2_EVERY = timedelta(hours=6), timedelta(hours=1)
# The task runs as often as the shortest of them, and not always to the second.
_EARLY_BY = timedelta(minutes=5)
# Well within the soft limit of Celery's tasks.
_SECONDS_PER_RUN = 60.0


def follow_up_accounts(*, seconds: float = _SECONDS_PER_RUN) -> int:
    """Refresh the accounts that are due, and their bank payouts; returns how many. Outside transactions.

    Begins with those that were looked at least recently, and stops after `seconds`. One account's trouble stops no other:
    even if Stripe does not answer about it, the next run begins with the others. Raises StripeUnreachable.
    """
    looked_at, stops_at = 0, time.monotonic() + seconds
    for account in accounts_to_follow_up():
        if time.monotonic() >= stops_at:
            log.warning("follow_up_of_accounts_continues", seconds=seconds)
            break
        ConnectedAccount.objects.filter(pk=account.pk).update(followed_up_at=timezone.now())
        _look_or_report(account)
        looked_at += 1
    return looked_at


def _look_or_report(account: ConnectedAccount) -> None:
    alert = f"account-not-followed-up:{account.stripe_account_id}"
    try:
        refresh_account(account)
        _record_bank_payouts(account)
    except StripeUnreachable:
        raise
    except StripeRefused as refusal:
        log.warning("account_not_followed_up", account=account.stripe_account_id, problem=str(refusal))
    except Exception as error:  # the others must be looked at
        log.exception("account_not_followed_up", account=account.stripe_account_id)
        raise_alert(
            key=alert,
            title="What became of a teacher's payouts at Stripe cannot be recorded",
            detail={"account": account.stripe_account_id, "error": repr(error)[:500]},
        )
    else:
        clear_alert(key=alert)


def accounts_to_follow_up() -> QuerySet[ConnectedAccount]:
    """The accounts that are due, those that were looked at least recently first.

    Current accounts that cannot be paid yet, all current ones of Accounts v2, and all that were paid recently without the
    money having arrived.
    """
    now = timezone.now()
    recent = PayoutTransfer.objects.filter(
        account=OuterRef("pk"),
        payout__status=Payout.Status.PAID,
        payout__paid_at__gte=now - _MONEY_MAY_COME_BACK_FOR,
    )
    on_its_way = recent.exclude(bank_payout__status=BankPayout.Status.PAID)
    is_unfinished = Q(replaced_at=None) & ~Q(can_receive_transfers=True, can_pay_out=True)
    is_v2 = Q(replaced_at=None, api=ConnectedAccount.Api.V2)
    is_due = Q(followed_up_at=None) | Q(followed_up_at__lte=now - _LOOK_EVERY + _EARLY_BY)
    is_due |= is_v2 & is_unfinished & Q(followed_up_at__lte=now - _LOOK_AT_UNFINISHED_V2_EVERY + _EARLY_BY)
    wanted = ConnectedAccount.objects.filter(is_unfinished | is_v2 | Q(Exists(on_its_way)), is_due, closed_at=None)
    return wanted.order_by(F("followed_up_at").asc(nulls_first=True), "pk")


def _record_bank_payouts(account: ConnectedAccount) -> None:
    since = timezone.now() - _MONEY_MAY_COME_BACK_FOR
    if not account.transfers.filter(payout__paid_at__gte=since).exists():
        return
    as_of = timezone.now()
    for payout_id in gateway.list_bank_payout_ids(account_id=account.stripe_account_id, created_from=since):
        state = gateway.retrieve_bank_payout(account_id=account.stripe_account_id, payout_id=payout_id)
        record_bank_payout(account, state, as_of=as_of)
