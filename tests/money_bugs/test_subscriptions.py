"""SI-04, SI-08, SI-09, TR-06 and CW-07: renewals, changes and refunds of subscriptions at the sandbox."""

import random

import pytest

from jobs.runner import drain
from payments.models import Order, Payment, Refund
from payments.refunds.plan import WholeOrder
from payments.refunds.requests import request_refund
from payments.tests.races import at_once
from subscriptions.models import FollowUp, LessonCredit
from subscriptions.tests.conftest import ada, all_invariants_hold
from subscriptions.tests.factories import make_plan, make_price
from subscriptions.tests.paid import unearned
from subscriptions.tests.subscribing import LONG_AGO

__all__ = ["ada", "all_invariants_hold"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]


def refunded_at_stripe(sandbox):
    return sum(refund["amount"] for refund in sandbox.get("refunds", limit=100)["data"])


def changes_to(ada, price):
    """Change as the pages do; returns what it cost, and the share of the period that was left."""
    planned = ada.client.get(f"/my/subscription/change/{price.pk}/").context["planned"]
    due = planned.preview.amount_due.minor
    ada.client.post(f"/my/subscription/change/{price.pk}/", {"at": planned.proration_at, "agreed": due})
    ada.tell()
    row = ada.row()
    assert row.price == price
    ends, starts = row.period_ends_at.timestamp(), row.period_starts_at.timestamp()
    return due, (ends - planned.proration_at) / (ends - starts)


def test_si_09_a_second_change_within_a_month_credits_what_the_first_one_really_cost(ada):
    """getlago/lago-api#1778: the credit was worked out on the full price, though only the rest had been charged."""
    ada.subscribe(make_price(amount_minor=3000))
    with ada.later(days=15):
        first, left_at_first = changes_to(ada, make_price(amount_minor=6000))
    with ada.later(days=5):
        second, left_at_second = changes_to(ada, make_price(amount_minor=9000))
    assert first == pytest.approx(3000 * left_at_first, abs=1)
    assert second == pytest.approx(3000 * left_at_second, abs=1)
    paid = [payment.amount_minor for payment in Payment.objects.order_by("pk")]
    assert paid == [3000, first, second]


def test_tr_06_the_difference_of_a_dearer_plan_includes_tax_too(ada, settings):
    """laravel/cashier-stripe#384: the invoice for the difference carried no tax."""
    settings.TAX_RATE_BPS = 2000
    ada.subscribe(make_price(amount_minor=2400))
    due, _ = changes_to(ada, make_price(amount_minor=4800))
    line = Order.objects.order_by("pk").last().lines.get()
    assert (line.amount_minor, line.tax_minor) == (due, round(due / 6))


def test_si_04_a_month_that_was_given_back_in_full_gives_nothing_more_back_when_it_ends_early(ada):
    """getlago/lago-api#738: the credit for the rest exceeded what was left, and ending failed."""
    row = ada.subscribe(make_price(make_plan(grants_courses=True), credits=4, credit_value_minor=500))
    order = row.periods.get().line.order
    request_refund(order_id=order.pk, wanted=WholeOrder(), reason="requested", request_key="all")
    drain(Refund, seconds=20)
    ada.tell()
    with ada.later(days=15):
        ada.sandbox.http.delete(f"{ada.sandbox.url}/v1/subscriptions/{row.stripe_subscription_id}", timeout=30)
        ada.tell()
    row.refresh_from_db()
    assert row.status == "ended"
    assert refunded_at_stripe(ada.sandbox) == 2900
    assert set(LessonCredit.objects.values_list("state", flat=True)) == {"revoked"}
    assert unearned() == 0


@pytest.mark.parametrize("seed", range(4))
def test_cw_07_a_refund_of_a_subscription_heard_of_before_its_payment_counts(ada, seed):
    """The same thread as the other CW-07, InsForge/InsForge#1674: the refund was stored, and the payment that came later did not know of it."""
    ada.subscribe(tells=False)
    [charge] = ada.sandbox.get("charges", limit=10)["data"]
    ada.sandbox.http.post(f"{ada.sandbox.url}/v1/refunds", data={"charge": charge["id"], "amount": 900}, timeout=30)
    ada.tell(random.Random(seed).sample(ada.events(), len(ada.events())))
    ada.tell()
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.status) == (900, "succeeded")
    assert Payment.objects.get().amount_minor == 2900
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_si_08_a_renewal_looked_for_by_many_at_once_is_one_charge_and_one_order(ada):
    """woocommerce/woocommerce-gateway-stripe#2339: a job that ran three times charged three times."""
    ada.subscribe()
    with ada.later(days=31, hours=3):
        FollowUp.objects.filter(state="waiting").update(run_after=LONG_AGO)
        at_once(*[lambda: drain(FollowUp, seconds=30)] * 3)
        ada.tell()
    charges = ada.sandbox.get("charges", limit=10)["data"]
    assert [charge["amount"] for charge in charges] == [2900, 2900]
    assert Order.objects.count() == 2
