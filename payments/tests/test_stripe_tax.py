"""Stripe Tax: Stripe computes the tax in our prices; it is frozen on the lines when the order is paid."""

import pytest
from django.template.loader import render_to_string

from accounts.tests.factories import TeacherFactory
from ledger.balances import balance_of
from ledger.entries import AccountKind
from money import Money
from payments.documents.receipt import render_receipt
from payments.evidence import ConfirmationNeeded
from payments.models import Order, Payment
from payments.outcomes import sync_with_stripe
from payments.pricing import price_cart
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import ComputedTax, read_computed_tax, read_refund
from payments.tests.discount_factories import code_of, open_discounted
from payments.tests.drawn_text import text_of_pdf
from payments.tests.factories import cart_with, evidence_for, open_order, refund_object, refunded, sample_offer
from payments.tests.test_checkout import press_pay, signed_in, take_in_and_work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stripe_computes(settings):
    settings.TAX_MODE, settings.TAX_OWED_BY = "stripe", "platform"
    return settings


def opened_at_stripe(*references):
    """A payment whose page is open in the sandbox."""
    cart = cart_with(*references)
    press_pay(signed_in(cart.user), cart)
    return Payment.objects.select_related("order").get()


def paid_from(stripe_sandbox, payment, country):
    """Pay the page from an address in this country."""
    method = stripe_sandbox.http.post(
        f"{stripe_sandbox.url}/v1/payment_methods",
        data={
            "type": "card",
            "card[token]": "tok_visa",
            "billing_details[address][country]": country,
        },
        timeout=30,
    ).json()
    answer = stripe_sandbox.pay(payment.stripe_session_id, method=method["id"])
    assert answer.ok, answer.text


def tax_of_lines(payment):
    return [(line.tax_bps, line.tax_minor) for line in payment.order.lines.order_by("unit_amount_minor")]


@pytest.mark.usefixtures("all_invariants_hold", "rebuilt_books_are_equal")
@pytest.mark.parametrize(
    ("country", "taxes", "payable"), [("DE", [(1900, 532), (1900, 1597)], 2129), ("US", [(0, 0), (0, 0)], 0)]
)
def test_the_events_of_a_payment_freeze_the_tax_that_stripe_computed(stripe_sandbox, country, taxes, payable):
    payment = opened_at_stripe(sample_offer(Money(3333, "GBP")), sample_offer(Money(10000, "GBP")))
    request = payment.session_request
    assert request["automatic_tax"] == {"enabled": True}
    assert {item["price_data"]["tax_behavior"] for item in request["line_items"]} == {"inclusive"}
    paid_from(stripe_sandbox, payment, country)
    take_in_and_work()
    order = Order.objects.get()
    assert order.is_paid
    assert order.total_minor == 13333 == payment.amount_minor
    assert tax_of_lines(payment) == taxes
    assert order.tax_minor == payable == balance_of(AccountKind.TAX_PAYABLE, "GBP").minor
    for line in order.lines.all():
        assert line.platform_fee_minor == (2 * line.net_amount.minor * 1000 + 10000) // 20000
    if payable:
        assert "VAT 19 %" in text_of_pdf(render_receipt(order))
    record_refund(read_refund(refund_object(refunded(Payment.objects.get()))))
    assert balance_of(AccountKind.TAX_PAYABLE, "GBP").minor == 0


def test_a_look_at_stripe_settles_with_the_tax_as_well(stripe_sandbox):
    payment = opened_at_stripe(sample_offer(Money(12000, "GBP")))
    paid_from(stripe_sandbox, payment, "GB")
    sync_with_stripe(payment)
    assert tax_of_lines(payment) == [(2000, 2000)]


def test_what_an_event_does_not_report_is_asked_before_anything_is_delivered():
    payment = open_order()
    with pytest.raises(ConfirmationNeeded):
        settle_payment(evidence_for(payment))
    payment.order.refresh_from_db()
    assert not payment.order.is_paid


def test_a_teacher_who_owes_the_tax_keeps_it_in_their_share(settings):
    settings.TAX_OWED_BY = "teacher"
    teacher = TeacherFactory(display_name="Ada King")
    payment = open_order(sample_offer(Money(12000, "GBP"), teacher=teacher))
    line = payment.order.lines.get()
    settle_payment(evidence_for(payment, taxes={line.pk: ComputedTax(2000, 2000)}))
    line.refresh_from_db()
    assert (line.tax_minor, line.platform_tax_minor, line.platform_fee_minor) == (2000, 0, 1200)
    assert line.tax_debtor_name == "Ada King"
    assert balance_of(AccountKind.TAX_PAYABLE, "GBP").minor == 0
    assert balance_of(AccountKind.TEACHER_PENDING, "GBP", teacher_id=teacher.pk).minor == 10800


@pytest.mark.usefixtures("all_invariants_hold", "rebuilt_books_are_equal")
def test_a_discount_of_the_platform_is_divided_without_the_tax():
    teacher = TeacherFactory()
    payment = open_discounted(12000, codes=[code_of(percent=50)], teacher=teacher)
    line = payment.order.lines.get()
    settle_payment(evidence_for(payment, taxes={line.pk: ComputedTax(2000, 1000)}))
    assert balance_of(AccountKind.TEACHER_PENDING, "GBP", teacher_id=teacher.pk).minor == 9000


def test_a_payment_without_a_page_is_taxed_by_the_rates(settings):
    settings.TAX_RATE_BPS = 2000
    payment = open_order(sample_offer(Money(12000, "GBP")))
    Payment.objects.filter(pk=payment.pk).update(
        stripe_session_id=None, stripe_payment_intent_id=f"pi_{payment.reference.hex}"
    )
    payment.refresh_from_db()
    settle_payment(evidence_for(payment, session_id=""))
    assert tax_of_lines(payment) == [(2000, 2000)]


def test_the_cart_names_no_tax_that_is_not_known_yet(settings):
    settings.TAX_RATE_BPS = 2000
    priced = price_cart(cart_with(sample_offer(Money(12000, "GBP"))))
    page = render_to_string("payments/cart_show.html", {"priced": priced})
    assert "incl. VAT" in page
    assert "20 %" not in page
    assert (priced.total, priced.tax) == (Money(12000, "GBP"), None)


def test_the_tax_of_a_line_is_the_sum_of_its_rates():
    rates = [{"amount": 5, "rate": {"percentage": 4.0}}, {"amount": 3, "rate": {"percentage": 2.25}}]
    zero = {"amount": 0, "rate": {"percentage": 0.0}}
    item = {"metadata": {"line": "7"}, "amount_tax": 8, "taxes": [*rates, zero]}
    assert read_computed_tax(item) == (7, ComputedTax(625, 8))
    assert read_computed_tax({**item, "metadata": {}}) is None
    assert read_computed_tax({**item, "metadata": {"line": "x"}}) is None
