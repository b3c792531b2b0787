"""Runs against the real sandbox: what was planted there is found, repaired, and gone the second time."""

import io
import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from jobs.models import ClaimLost
from jobs.runner import drain
from ledger.entries import AccountKind
from ledger.models import Journal, Posting
from money import Money
from notifications.models import Alert
from payments import gateway
from payments.charges import look_up_charge
from payments.models import (
    ChargeLookup,
    Difference,
    Payment,
    ReconciliationRun,
    ReconciliationTotal,
    Refund,
    StripeMovement,
)
from payments.outcomes import sync_with_stripe
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.runs import advance_run, is_clean, request_run
from payments.refunds.sending import send_refund
from payments.tests.factories import cart_with, refunded, sample_offer
from payments.tests.test_checkout import press_pay, signed_in

pytestmark = pytest.mark.django_db


def buy(sandbox, minor=2500, currency="GBP"):
    """A payment at Stripe of which no event is delivered: this sandbox has no webhook endpoint."""
    cart = cart_with(sample_offer(Money(minor, currency)))
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.latest("pk")
    sandbox.pay(payment.stripe_session_id)
    wait_for_transactions(sandbox, of=sandbox.intent_of(payment))
    return payment


def wait_for_transactions(sandbox, of):
    """Stripe reports a charge's balance transaction a little later than the charge."""
    ends_at = time.monotonic() + 10
    while not sandbox.get("charges", payment_intent=of)["data"][0]["balance_transaction"]:
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def sale(sandbox, minor=2500, currency="GBP"):
    """A payment that is settled here, with its fee."""
    payment = buy(sandbox, minor, currency)
    sync_with_stripe(payment)
    payment.refresh_from_db()
    look_up_charge(ChargeLookup.objects.get(payment=payment))
    return payment


def reconcile(*options):
    """Run the command; its output and its exit code."""
    out = io.StringIO()
    try:
        call_command("reconcile", *options, stdout=out, stderr=io.StringIO())
    except CommandError as difference:
        return out.getvalue(), difference.returncode
    return out.getvalue(), 0


def found():
    """The kinds and amounts of the latest run."""
    run = ReconciliationRun.objects.latest("pk")
    rows = run.differences.order_by("kind", "amount_minor")
    return list(rows.values_list("kind", "amount_minor", "currency"))


def clearing(currency="GBP"):
    postings = Posting.objects.filter(account__kind=AccountKind.STRIPE_CLEARING, account__currency=currency)
    return sum(postings.values_list("amount_minor", flat=True))


def stripe_post(sandbox, path, **data):
    answer = sandbox.http.post(f"{sandbox.url}/v1/{path}", data=data, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def test_sales_refunds_and_fees_of_three_currencies_have_no_difference(stripe_sandbox):
    payments = [
        sale(stripe_sandbox, 2500, "GBP"),
        sale(stripe_sandbox, 5000, "JPY"),
        sale(stripe_sandbox, 70500, "KWD"),
    ]
    for payment in payments:
        send_refund(refunded(payment))
    output, code = reconcile()
    assert (found(), code) == ([], 0), output
    for total in ReconciliationTotal.objects.all():
        assert total.stripe_minor == total.ledger_minor == total.balance_minor
        assert total.remainder_minor == total.named_minor == total.unlisted_minor == 0
    assert StripeMovement.objects.count() == 6


def test_a_payment_without_an_event_is_found_settled_and_clean_the_second_time(stripe_sandbox):
    payment = buy(stripe_sandbox)
    fee = stripe_sandbox.get("balance_transactions")["data"][0]["fee"]
    assert reconcile()[1] == 1
    assert found() == [(Kind.MISSING_EVENT, 2500 - fee, "GBP")]
    payment.refresh_from_db()
    assert not payment.has_succeeded, "without --fix nothing is changed"
    assert Alert.objects.filter(key="reconciliation", cleared_at=None).exists()
    assert reconcile("--fix")[1] == 0
    payment.refresh_from_db()
    assert payment.has_succeeded
    assert reconcile()[1] == 0
    assert found() == []
    assert not Alert.objects.filter(key="reconciliation", cleared_at=None).exists()
    assert clearing() == 2500 - fee


def test_a_refund_made_in_the_dashboard_is_found_and_taken_in(stripe_sandbox):
    payment = sale(stripe_sandbox)
    made = stripe_post(stripe_sandbox, "refunds", payment_intent=payment.stripe_payment_intent_id, amount=700)
    reconcile()
    assert found() == [(Kind.REFUND_BY_HAND, -700, "GBP")]
    assert Difference.objects.get().order_id == payment.order_id
    assert reconcile("--fix")[1] == 0
    assert Refund.objects.get().stripe_refund_id == made["id"]
    assert reconcile()[1] == 0
    assert found() == []


def test_a_refund_of_ours_that_a_restored_backup_lacks_is_named_so(stripe_sandbox):
    payment = sale(stripe_sandbox)
    gateway.create_refund(
        payment_intent_id=payment.stripe_payment_intent_id,
        amount=Money(300, "GBP"),
        order_number=payment.order.number,
        refund_key="a-key-of-yesterday",
        idempotency_key="a-key-of-yesterday",
    )
    reconcile("--fix")
    assert found() == [(Kind.REFUND_NOT_HERE, -300, "GBP")]
    assert reconcile()[1] == 0


def test_a_payment_of_another_product_on_the_account_stays_open(stripe_sandbox):
    intent = stripe_post(
        stripe_sandbox, "payment_intents", amount=900, currency="gbp", confirm="true", payment_method="pm_card_visa",
        **{"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"},
    )  # fmt: skip
    wait_for_transactions(stripe_sandbox, of=intent["id"])
    assert reconcile("--fix")[1] == 1
    assert [kind for kind, _, _ in found()] == [Kind.OUTSIDE_CHARGE]
    total = ReconciliationTotal.objects.get()
    assert (total.stripe_minor, total.ledger_minor, total.remainder_minor) == (total.named_minor, 0, 0)


def test_a_payout_to_the_bank_is_booked_from_the_statement(stripe_sandbox):
    sale(stripe_sandbox, 50_000)
    four_days = timedelta(days=4)
    stripe_sandbox.switch("clock", advance=int(four_days.total_seconds()))
    account = stripe_sandbox.get("account")["id"]
    bank = {"object": "bank_account", "country": "GB", "currency": "gbp", "account_number": "00012345"}
    fields = {f"external_account[{name}]": value for name, value in bank.items()}
    stripe_post(stripe_sandbox, f"accounts/{account}/external_accounts", **fields)
    stripe_post(stripe_sandbox, "payouts", amount=1_000, currency="gbp")
    with time_machine.travel(timezone.now() + four_days):
        output, code = reconcile("--fix")
        assert found() == [(Kind.PLATFORM_PAYOUT, -1_000, "GBP")]
        assert code == 0, output
        assert reconcile()[1] == 0
        assert found() == []
    journal = Journal.objects.get(source__startswith="stripe:txn_")
    assert set(journal.postings.values_list("account__kind", flat=True)) == {"stripe_clearing", "bank"}


def test_the_daily_run_books_only_what_stripe_moves_by_itself(stripe_sandbox):
    payment = sale(stripe_sandbox, 50_000)
    stripe_post(stripe_sandbox, "refunds", payment_intent=payment.stripe_payment_intent_id, amount=700)
    run = request_run(repairs=ReconciliationRun.Repairs.ROUTINE)
    assert drain(ReconciliationRun, seconds=20) == 1
    run.refresh_from_db()
    assert (run.state, run.step) == ("done", "finished")
    assert not is_clean(run)
    assert not Refund.objects.exists()


def test_a_killed_run_is_continued_where_it_was(stripe_sandbox):
    """Another process takes a run over after every piece; the first one can no longer record anything."""
    for _ in range(3):
        buy(stripe_sandbox)
    run = request_run(is_performed_here=True)
    steps, overtaken = [], run
    while not advance_run(run, seconds=0):
        steps.append(run.step)
        overtaken = run
        ReconciliationRun.objects.filter(pk=run.pk).update(run_after="2000-01-01T00:00Z")
        run = ReconciliationRun.objects.get(pk=run.pk)
        with pytest.raises(ClaimLost):
            advance_run(overtaken, seconds=0)
    assert len(steps) >= 2
    assert sorted(kind for kind, _, _ in found()) == [Kind.MISSING_EVENT] * 3
    assert ReconciliationTotal.objects.get().remainder_minor == 0


def test_a_period_has_cut_offs_instead_of_differences(stripe_sandbox):
    """Stripe has the charge within the period, and the ledger has it a little later."""
    payment = sale(stripe_sandbox)
    booked_at = Journal.objects.get(source=f"order:{payment.order.number}:settled").effective_at
    output, code = reconcile("--until", booked_at.isoformat())
    assert (found(), code) == ([(Kind.CUT_OFF, 2500, "GBP")], 0), output
    assert ReconciliationTotal.objects.get().remainder_minor == 0


@pytest.mark.parametrize("options", [("--since", "yesterday"), ("--since", "2026-05-02", "--until", "2026-05-01")])
def test_a_period_that_is_none_is_refused(options):
    with pytest.raises(CommandError):
        call_command("reconcile", *options)
    assert not ReconciliationRun.objects.exists()


def test_a_silent_stripe_is_no_difference(stripe_sandbox):
    stripe_sandbox.fault("server_error", path="/v1/balance_transactions", method="GET", count=20)
    assert reconcile()[1] == 2
    assert not Difference.objects.exists()
    assert not Alert.objects.filter(key="reconciliation").exists()


def test_the_output_adds_up(stripe_sandbox):
    sale(stripe_sandbox)
    output, _ = reconcile()
    assert re.search(r"GBP: Stripe £[\d.]+ .* = ledger £[\d.]+ \+ named £0.00 \+ remainder £0.00", output)
