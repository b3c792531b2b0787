"""Who bears a discount: shares, fees and the ledger, through refunds, disputes and revocations."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, given, reject
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken, installed_invariants
from ledger.balances import balance_of, balances_of_teacher
from ledger.entries import AccountKind
from money import Money
from money.limits import limits_of
from payments.checkout import TotalRefused
from payments.discounts.cart_codes import CodeRefused
from payments.earnings.maturing import mature_earnings
from payments.models import DiscountStep, Earning, OrderLine, Payment, Refund
from payments.refunds.plan import LinePart, OfLines, OverAllLines
from payments.revocation import revoke_units
from payments.tests.discount_factories import code_of, paid_discounted
from payments.tests.factories import refunded
from payments.tests.races import dispute_all, report_on

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold", "rebuilt_books_are_equal")]

FEES, DISCOUNTS = AccountKind.PLATFORM_FEES, AccountKind.PLATFORM_DISCOUNTS


@pytest.fixture(autouse=True)
def ten_percent(settings):
    settings.DEFAULT_COMMISSION_BPS = 1000


@pytest.fixture
def anna():
    return TeacherFactory()


def of_teacher(teacher, currency="GBP"):
    return sum(money.minor for (_, of), money in balances_of_teacher(teacher.pk).items() if of == currency)


def of_platform(currency="GBP"):
    """Fees and what discounts cost."""
    return balance_of(FEES, currency).minor, balance_of(DISCOUNTS, currency).minor


def by_platform(percent, **fields):
    return code_of(percent=percent, **fields)


def test_a_discount_of_the_platform_leaves_the_teacher_their_whole_share(anna):
    payment = paid_discounted(10_000, codes=[by_platform(50)], teacher=anna)
    line = payment.order.lines.get()
    assert (line.amount_minor, line.platform_fee_minor, line.teacher_share_minor) == (5000, 500, 4500)
    assert (line.platform_discount_minor, line.platform_discount_share_minor) == (5000, 4500)
    assert of_teacher(anna) == 9000
    # -40.00 in all
    assert of_platform() == (1000, 5000)
    assert line.as_sold().share == Money(9000, "GBP")


def test_a_discount_of_the_teacher_is_theirs_and_lowers_the_fee(anna):
    paid_discounted(10_000, codes=[code_of(percent=50, bearer=anna)], teacher=anna)
    assert (of_teacher(anna), of_platform()) == (4500, (500, 0))


def test_both_may_bear_a_part(anna):
    codes = [code_of(percent=50, bearer=anna, is_stackable=True), by_platform(50, is_stackable=True)]
    payment = paid_discounted(10_000, codes=codes, teacher=anna)
    assert payment.amount_minor == 2500
    assert (of_teacher(anna), of_platform()) == (4500, (500, 2500))


def test_a_refund_takes_back_the_same_part_of_the_platforms_discount(anna):
    payment = paid_discounted(10_000, codes=[by_platform(50)], teacher=anna)
    refund = refunded(payment, OverAllLines(Money(2000, "GBP")))
    report_on(refund)
    assert (of_teacher(anna), of_platform()) == (5400, (600, 3000))
    report_on(refunded(payment))
    assert (of_teacher(anna), of_platform()) == (0, (0, 0))


def test_a_failed_refund_gives_it_again(anna):
    payment = paid_discounted(10_000, codes=[by_platform(50)], teacher=anna)
    refund = refunded(payment)
    assert of_platform() == (500, 0)
    report_on(refund, status="failed")
    assert (of_teacher(anna), of_platform()) == (9000, (1000, 5000))
    refund = refunded(payment)
    report_on(refund)
    report_on(refund, status="failed")
    assert (of_teacher(anna), of_platform()) == (9000, (1000, 5000))
    assert list(DiscountStep.objects.values_list("number", "reclaimed_minor")) == [(1, 5000), (2, 0), (3, 5000), (4, 0)]


def test_what_became_available_is_the_whole_share_and_can_be_taken_back(anna, shares_mature_at_once):
    payment = paid_discounted(10_000, codes=[by_platform(50)], teacher=anna)
    mature_earnings()
    assert Earning.objects.get().matured_minor == 9000
    report_on(refunded(payment))
    assert balances_of_teacher(anna.pk)[AccountKind.TEACHER_AVAILABLE, "GBP"].minor == 0


def test_a_dispute_takes_the_same_part(anna):
    payment = paid_discounted(10_000, codes=[by_platform(50)], teacher=anna)
    dispute_all(payment)
    assert balance_of(DISCOUNTS, "GBP").minor == 0
    assert OrderLine.objects.get().reclaimed_share_minor == 4500


def test_a_free_line_gives_back_with_each_revoked_unit(anna):
    payment = paid_discounted(10_000, codes=[by_platform(100)], teacher=anna, quantity=3)
    line = payment.order.lines.get()
    line.order = payment.order
    assert (of_teacher(anna), of_platform()) == (27_000, (3000, 30_000))
    revoke_units(line=line, quantity=1, reason="cancelled")
    assert (of_teacher(anna), of_platform()) == (18_000, (2000, 20_000))
    revoke_units(line=line, quantity=2, reason="cancelled")
    assert (of_teacher(anna), of_platform()) == (0, (0, 0))


def test_a_refund_never_spreads_a_discount_anew(anna):
    code = code_of(off=[Money(1000, "GBP")])
    payment = paid_discounted(5000, 2000, 3000, codes=[code], teacher=anna)
    second = payment.order.lines.get(unit_amount_minor=2000)
    report_on(refunded(payment, OfLines([LinePart(line_id=second.pk)])))
    assert sorted(payment.order.lines.values_list("amount_minor", "refunded_minor")) == [
        (1800, 1800),
        (2700, 0),
        (4500, 0),
    ]
    assert Refund.objects.get().amount_minor == 1800
    assert balance_of(DISCOUNTS, "GBP").minor == 800


@pytest.mark.parametrize(("currency", "price"), [("JPY", 999), ("KWD", 12_340), ("GBP", 1001)])
def test_the_figures_add_up_in_every_currency(anna, currency, price):
    payment = paid_discounted(price, price, codes=[by_platform(33)], currency=currency, teacher=anna)
    order, lines = payment.order, list(payment.order.lines.all())
    assert order.total_minor == sum(line.amount_minor for line in lines) == payment.amount_minor
    assert balance_of(DISCOUNTS, currency).minor == order.discount_minor
    assert of_teacher(anna, currency) + balance_of(FEES, currency).minor == order.subtotal_minor
    report_on(refunded(payment))
    assert (of_teacher(anna, currency), of_platform(currency)) == (0, (0, 0))


@st.composite
def purchases(draw):
    """Prices in whole steps, a quantity, and codes of both bearers that can be combined."""
    currency = draw(st.sampled_from(["GBP", "JPY", "KWD"]))
    step = limits_of(currency).step.minor
    prices = draw(st.lists(st.integers(500, 3000).map(lambda each: each * step), min_size=1, max_size=3))
    off = st.integers(1, 900).map(lambda each: {"off": [Money(each * step, currency)]})
    percent = st.integers(1, 99).map(lambda each: {"percent": each})
    codes = draw(st.lists(st.tuples(st.one_of(off, percent), st.booleans()), min_size=1, max_size=2))
    parts = draw(st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["succeeded", "failed"])), max_size=3))
    return currency, step, prices, draw(st.integers(1, 3)), codes, parts


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(purchases())
def test_any_codes_and_refunds_add_up_to_order_and_ledger(anna, purchase):
    currency, step, prices, quantity, wanted, parts = purchase
    with transaction.atomic():
        codes = [code_of(is_stackable=True, **({"bearer": anna} if own else {}), **terms) for terms, own in wanted]
        try:
            payment = paid_discounted(*prices, codes=codes, currency=currency, quantity=quantity, teacher=anna)
        except (CodeRefused, TotalRefused):
            reject()  # nothing is left, or less than Stripe takes
        order = payment.order
        assume(order.total_minor)  # of nothing, nothing is given back
        lines = list(order.lines.all())
        assert (
            order.total_minor
            == sum(line.amount_minor for line in lines)
            == sum(prices) * quantity - order.discount_minor
        )
        assert all(line.platform_fee_minor + line.teacher_share_minor == line.amount_minor for line in lines)
        by_platform = sum(line.platform_discount_minor for line in lines)
        earned = of_teacher(anna, currency) + balance_of(FEES, currency).minor
        assert (earned, of_platform(currency)[1]) == (order.total_minor + by_platform, by_platform)
        for steps, status in parts:
            amount = Money(steps * step, currency)
            if amount.minor <= Payment.objects.get(pk=payment.pk).refundable.minor:
                report_on(refunded(payment, OverAllLines(amount)), status=status)
        assert broken(installed_invariants()) == {}
        if Payment.objects.get(pk=payment.pk).refundable.minor:
            report_on(refunded(payment))
        assert (of_teacher(anna, currency), of_platform(currency)) == (0, (0, 0))
        assert broken(installed_invariants()) == {}
        transaction.set_rollback(True)
