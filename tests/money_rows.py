"""A row more in each list of the money after the sale: disputes, payouts, reconciliation."""

import uuid

from django.utils import timezone

from accounts.tests.factories import UserFactory
from payments.disputes.answers import accept_dispute
from payments.models import BankPayout, Difference, FraudWarning, PayoutReversal, ReconciliationRun, StripeMovement
from payments.tests.disputing import Case
from payments.tests.payout_factories import approved


def grow_money(payment):
    """Add a row to every list of the money after the sale; the payment is disputed."""
    dispute = Case(payment).open()
    accept_dispute(dispute_id=dispute.pk, note="The student is right.", by_id=UserFactory(is_staff=True).pk)
    FraudWarning.objects.create(
        payment=payment,
        stripe_warning_id=f"issfr_{uuid.uuid4().hex}",
        fraud_type="made_with_stolen_card",
        is_actionable=True,
        warned_at=timezone.now(),
    )
    grow_payouts()
    grow_reconciliation()


def grow_payouts():
    transfer = approved().transfer
    PayoutReversal.objects.create(transfer=transfer, amount_minor=100, reason="made_at_stripe")
    BankPayout.objects.create(
        account=transfer.payout.teacher.connected_accounts.get(),
        stripe_payout_id=f"po_{uuid.uuid4().hex}",
        amount_minor=9000,
        currency="GBP",
        status="paid",
        is_automatic=True,
        state_as_of=timezone.now(),
    )


def grow_reconciliation():
    now = timezone.now()
    run = ReconciliationRun.objects.create(until=now, settled_before=now, livemode=False)
    Difference.objects.create(
        run=run,
        kind="missing_fee",
        sentence="Stripe's fee is not booked.",
        match_key="charge:ch_1",
        amount_minor=-59,
        currency="GBP",
    )
    StripeMovement.objects.create(
        stripe_id=f"txn_{uuid.uuid4().hex}",
        account="acct_1",
        livemode=False,
        type="charge",
        currency="GBP",
        amount_minor=2500,
        fee_minor=59,
        net_minor=2441,
        happened_at=now,
        available_at=now,
        match_key="charge:ch_1",
    )
