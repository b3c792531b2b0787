"""Any cart with any tax, discount and sequence of refunds adds up: lines, order, Stripe's page and ledger."""

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken, installed_invariants
from ledger.balances import balance_of, balances_of_teacher
from ledger.entries import AccountKind
from money import Money
from money.limits import limits_of
from payments.discounts.cart_codes import enter_code
from payments.models.order import lines_in_lock_order
from payments.refunds.plan import LinePart, OfLines, OverAllLines, remaining_of
from payments.settlement import settle_payment
from payments.tax import invariants as tax_invariants
from payments.tests.discount_factories import code_of
from payments.tests.factories import cart_with, evidence_for, open_order, paid_order, refunded, sample_offer
from payments.tests.races import report_on
from payments.tests.test_invariants import past_all_triggers

pytestmark = pytest.mark.django_db

K = AccountKind
CARTS = st.fixed_dictionaries(
    {
        "currency": st.sampled_from(["GBP", "JPY", "KWD"]),
        "prices": st.lists(st.integers(200, 20_000), min_size=1, max_size=4),
        "quantity": st.integers(1, 3),
        "teachers": st.lists(st.integers(0, 1), min_size=4, max_size=4),
        "bps": st.integers(0, 3000),
        "mode": st.sampled_from(["included", "added"]),
        "owed_by": st.sampled_from(["teacher", "platform"]),
        "commission": st.sampled_from([0, 333, 1000, 2500]),
        "percent": st.integers(0, 60),
        "by_platform": st.booleans(),
    }
)
STEPS = st.lists(st.tuples(st.sampled_from(["line", "spread", "fail"]), st.integers(0, 10**6)), max_size=5)


def bought(cart_terms, settings):
    """A paid order as the terms say; returns its payment and teachers."""
    settings.TAX_RATE_BPS, settings.TAX_MODE = cart_terms["bps"], cart_terms["mode"]
    settings.TAX_OWED_BY, settings.DEFAULT_COMMISSION_BPS = cart_terms["owed_by"], cart_terms["commission"]
    teachers = [TeacherFactory(), TeacherFactory()]
    currency = cart_terms["currency"]
    step = limits_of(currency).step
    references = [
        sample_offer(step * price, teacher=teachers[which])
        for price, which in zip(cart_terms["prices"], cart_terms["teachers"], strict=False)
    ]
    cart = cart_with(*references, quantity=cart_terms["quantity"])
    if cart_terms["percent"]:
        bearer = {} if cart_terms["by_platform"] else {"bearer": teachers[cart_terms["teachers"][0]]}
        enter_code(cart=cart, text=code_of(percent=cart_terms["percent"], **bearer).code)
    payment = open_order(cart=cart)
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    return payment, teachers


def adds_up(payment, teachers):
    """What lines say is what order, Stripe's page and ledger say."""
    order, currency = payment.order, payment.currency
    lines = lines_in_lock_order(order)
    items = payment.session_request["line_items"]
    assert sum(item["price_data"]["unit_amount"] * item["quantity"] for item in items) == order.total_minor
    for line in lines:
        assert line.amount == line.list_amount - line.discount + line.tax_added
        assert line.amount == line.platform_fee + line.teacher_share + line.platform_tax
        assert line.net_amount + line.tax == line.amount
        left = line.parts - line.refunded_parts
        assert min(left.fee, left.share, left.tax) >= 0
    assert order.total_minor == sum(line.amount_minor for line in lines)
    assert order.tax_minor == sum(line.tax_minor for line in lines) == sum(each.tax.minor for each in order.taxes)
    fees = sum((line.parts - line.refunded_parts).fee for line in lines)
    fees += sum(
        line.platform_discount_minor
        - line.platform_discount_share_minor
        - (line.reclaimed_minor - line.reclaimed_share_minor)
        for line in lines
    )
    shares = sum(line.share_left.minor for line in lines)
    owed = sum(
        money.minor for each in teachers for (_, of), money in balances_of_teacher(each.pk).items() if of == currency
    )
    assert balance_of(K.TAX_PAYABLE, currency).minor == sum((line.parts - line.refunded_parts).tax for line in lines)
    assert balance_of(K.PLATFORM_FEES, currency).minor == fees
    assert owed == shares
    assert balance_of(K.STRIPE_CLEARING, currency).minor == sum(line.refundable.minor for line in lines)


def refund_once(payment, kind, size):
    """Refund some of a line, or some over all; returns the refund, or None if nothing is left."""
    lines = [line for line in lines_in_lock_order(payment.order) if line.refundable.minor]
    if not lines:
        return None
    step = limits_of(payment.currency).step.minor
    line = lines[size % len(lines)]
    left = line.refundable if kind == "line" else remaining_of(lines)
    amount = Money((size % (left.minor // step) + 1) * step, payment.currency)
    wanted = OfLines([LinePart(line_id=line.pk, amount=amount)]) if kind == "line" else OverAllLines(amount)
    return refunded(payment, wanted)


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cart_terms=CARTS, steps=STEPS)
def test_any_cart_discount_and_refunds_add_up(settings, cart_terms, steps):
    with transaction.atomic():
        payment, teachers = bought(cart_terms, settings)
        adds_up(payment, teachers)
        succeeded = []
        for kind, size in steps:
            if kind != "fail":
                if refund := refund_once(payment, kind, size):
                    report_on(refund)
                    succeeded.append(refund)
            elif succeeded:
                report_on(succeeded.pop(size % len(succeeded)), status="failed")
            adds_up(payment, teachers)
        if any(line.refundable.minor for line in lines_in_lock_order(payment.order)):
            report_on(refunded(payment))
        adds_up(payment, teachers)
        for kind in (K.TAX_PAYABLE, K.PLATFORM_FEES, K.PLATFORM_DISCOUNTS, K.STRIPE_CLEARING):
            assert balance_of(kind, payment.currency).minor == 0
        assert broken(installed_invariants()) == {}
        transaction.set_rollback(True)


def test_the_invariant_notices_tax_that_is_not_booked(settings):
    settings.TAX_RATE_BPS, settings.TAX_OWED_BY = 2000, "platform"
    payment, other = paid_order(1200), paid_order(2400)
    assert broken(tax_invariants.INVARIANTS) == {}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    past_all_triggers(
        "UPDATE payments_orderline SET platform_tax_minor = 0, teacher_share_minor = teacher_share_minor + tax_minor"
        f" WHERE order_id = {payment.order_id}"
    )
    assert broken(tax_invariants.INVARIANTS) == {"payments.tax_is_booked": [payment.order_id]}
    assert other.order_id != payment.order_id
    transaction.set_rollback(True)
