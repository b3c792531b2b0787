"""An API key of another Stripe account sees nothing of ours. Nothing may be concluded from that."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken
from jobs.models import WorkParked
from notifications.models import Alert
from payments.follow_up import follow_up_payment
from payments.invariants import INVARIANTS
from payments.models import Order, Payment, PayoutTransfer, ReconciliationRun
from payments.payouts import gateway as payout_gateway
from payments.payouts.accounts import refresh_account
from payments.payouts.follow_up import follow_up_accounts
from payments.payouts.requests import current_account
from payments.payouts.sending import send_transfer
from payments.sessions import close_session
from payments.stripe_api import StripeMisconfigured
from payments.tests.factories import open_order
from payments.tests.payout_factories import approved, books_of, earn, fund, onboarded, perform, transfers_at
from payments.tests.test_payout_sending import retry

pytestmark = pytest.mark.django_db
USD = "USD"


@pytest.fixture
def teacher(stripe_sandbox):
    """A teacher with 90.00 USD available and an account that the sandbox has verified."""
    fund(stripe_sandbox, 100_000)
    teacher = TeacherFactory()
    onboarded(stripe_sandbox, teacher)
    earn(teacher, 9000, USD)
    return teacher


def key_alert():
    return Alert.objects.filter(key="stripe-key-of-another-account", cleared_at=None)


def test_the_key_of_another_platform_closes_no_account(teacher, other_platform, use_key_of):
    use_key_of(other_platform)
    with pytest.raises(StripeMisconfigured, match="acct_1AnotherPlatform0, not to acct_1SandboxLectern00"):
        refresh_account(current_account(teacher.pk))
    follow_up_accounts()
    assert current_account(teacher.pk).can_be_paid
    assert key_alert().exists()


def test_the_alert_is_cleared_once_the_key_is_ours(stripe_sandbox, teacher, other_platform, use_key_of):
    account = current_account(teacher.pk)
    use_key_of(other_platform)
    with pytest.raises(StripeMisconfigured):
        refresh_account(account)
    use_key_of(stripe_sandbox)
    assert stripe_sandbox.http.delete(f"{stripe_sandbox.url}/v1/accounts/{account.stripe_account_id}", timeout=30).ok
    assert refresh_account(account).state == "closed"
    assert not key_alert().exists()


def test_without_the_setting_the_account_of_the_first_reconciliation_counts(
    teacher, other_platform, use_key_of, settings
):
    settings.STRIPE_ACCOUNT_ID = ""
    use_key_of(other_platform)
    with pytest.raises(StripeMisconfigured, match="Set STRIPE_ACCOUNT_ID"):
        refresh_account(current_account(teacher.pk))
    is_live, times = settings.STRIPE_LIVE_MODE, {"until": timezone.now(), "settled_before": timezone.now()}
    ReconciliationRun.objects.create(account="acct_live", livemode=not is_live, **times)
    ReconciliationRun.objects.create(account="acct_1SandboxLectern00", livemode=is_live, **times)
    ReconciliationRun.objects.create(account="acct_1AnotherPlatform0", livemode=is_live, **times)
    with pytest.raises(StripeMisconfigured, match="not to acct_1SandboxLectern00"):
        refresh_account(current_account(teacher.pk))
    assert current_account(teacher.pk).can_be_paid


def test_an_approved_payout_waits_for_the_right_key(stripe_sandbox, teacher, other_platform, use_key_of):
    payout = approved(teacher, currency=USD)
    use_key_of(other_platform)
    perform(PayoutTransfer)
    payout.refresh_from_db()
    assert (payout.status, PayoutTransfer.objects.get().state) == ("approved", "parked")
    assert books_of(teacher, USD) == (0, 9000)
    assert Alert.objects.filter(key=f"payout-transfer-parked:{payout.reference}").exists()
    use_key_of(stripe_sandbox)
    assert PayoutTransfer.objects.get().retry_now()
    perform(PayoutTransfer)
    payout.refresh_from_db()
    assert (payout.status, len(transfers_at(stripe_sandbox, payout))) == ("paid", 1)


@pytest.mark.parametrize("status", ["sent", "unknown"])
def test_a_payout_whose_answer_is_missing_stays_claimed(stripe_sandbox, teacher, other_platform, use_key_of, status):
    """Its transfer exists at our account; the other one has neither transfer nor teacher."""
    payout = approved(teacher, currency=USD)
    stripe_sandbox.fault("drop_reply", path="/v1/transfers", count=3)
    perform(PayoutTransfer)
    # Killed before the lost answer was recorded.
    type(payout).objects.filter(pk=payout.pk).update(status=status)
    use_key_of(other_platform)
    retry()
    payout.refresh_from_db()
    assert (payout.status, PayoutTransfer.objects.get().state) == (status, "parked")
    assert books_of(teacher, USD) == (0, 9000)
    use_key_of(stripe_sandbox)
    assert PayoutTransfer.objects.get().retry_now()
    perform(PayoutTransfer)
    payout.refresh_from_db()
    assert (payout.status, len(transfers_at(stripe_sandbox, payout))) == ("paid", 1)
    assert broken(INVARIANTS) == {}


def closed_at_the_last_moment(sandbox, teacher, monkeypatch):
    """Close the teacher's account between the look at the balance and the transfer."""
    look, account = payout_gateway.retrieve_available_balance, current_account(teacher.pk)

    def look_then_close():
        seen = look()
        assert sandbox.http.delete(f"{sandbox.url}/v1/accounts/{account.stripe_account_id}", timeout=30).ok
        return seen

    monkeypatch.setattr(payout_gateway, "retrieve_available_balance", look_then_close)


def test_an_account_that_our_key_finds_closed_fails_the_payout(stripe_sandbox, teacher, monkeypatch):
    closed_at_the_last_moment(stripe_sandbox, teacher, monkeypatch)
    payout = approved(teacher, currency=USD)
    perform(PayoutTransfer)
    payout.refresh_from_db()
    assert (payout.status, books_of(teacher, USD)) == ("failed", (9000, 0))
    assert current_account(teacher.pk).state == "closed"


def test_while_the_answer_is_missing_a_closed_account_proves_nothing(stripe_sandbox, teacher):
    account = current_account(teacher.pk)
    payout = approved(teacher, currency=USD)
    stripe_sandbox.fault("server_error", path="/v1/transfers", count=3)
    perform(PayoutTransfer)
    payout.refresh_from_db()
    assert payout.status == "unknown"
    assert stripe_sandbox.http.delete(f"{stripe_sandbox.url}/v1/accounts/{account.stripe_account_id}", timeout=30).ok
    stripe_sandbox.switch("clock", advance=25 * 3600)
    with pytest.raises(WorkParked, match="Look at Stripe"):
        send_transfer(PayoutTransfer.objects.get())
    payout.refresh_from_db()
    assert (payout.status, books_of(teacher, USD)) == ("unknown", (0, 9000))


def test_the_key_of_another_platform_ends_no_payment(stripe_sandbox, other_platform, use_key_of):
    payment = open_order()
    Payment.objects.filter(pk=payment.pk).update(expires_at=timezone.now() - timedelta(days=1))
    payment.refresh_from_db()
    use_key_of(other_platform)
    with pytest.raises(StripeMisconfigured):
        close_session(payment.pk, reason="The cart was changed.")
    with pytest.raises(StripeMisconfigured):
        follow_up_payment(payment)
    payment.refresh_from_db()
    assert (payment.ended_at, payment.order.state) == (None, Order.State.AWAITING_PAYMENT)
    use_key_of(stripe_sandbox)
    follow_up_payment(payment)
    payment.refresh_from_db()
    assert payment.status == "expired", "our own key does not find it either"
