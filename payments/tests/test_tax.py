"""Tax from the cart to the books: every page and document shows the same figures, and refunds give the tax back."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.tests.factories import TeacherFactory
from jobs.runner import drain
from ledger.balances import balance_of
from ledger.entries import AccountKind
from money import Money
from notifications.models import Mail
from payments.checkout import CartChanged, start_checkout
from payments.documents.credit_note import render_credit_note
from payments.documents.numbering import number_credit_note
from payments.documents.receipt import render_receipt
from payments.models import OrderLine
from payments.pricing import price_cart
from payments.refunds.plan import LinePart, OfLines, WholeOrder
from payments.refunds.preview import preview_of_request
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.discount_factories import code_of, paid_discounted
from payments.tests.disputing import Case
from payments.tests.drawn_text import text_of_pdf
from payments.tests.factories import (
    cart_with,
    client_of,
    evidence_for,
    open_order,
    paid_order,
    refund_object,
    refunded,
    sample_offer,
    staff_in,
)
from payments.tests.sample_domain import SAMPLE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold", "rebuilt_books_are_equal")]


@pytest.fixture
def platform_owes(settings):
    """20 % on top of each price, owed by the platform."""
    settings.TAX_RATE_BPS, settings.TAX_MODE, settings.TAX_OWED_BY = 2000, "added", "platform"
    return settings


def books(currency="GBP"):
    """What the platform owes as tax, its fees, and what it owes to the teacher of the sample domain, in minor units."""
    kinds = (AccountKind.TAX_PAYABLE, AccountKind.PLATFORM_FEES)
    held = (AccountKind.TEACHER_PENDING, AccountKind.TEACHER_HELD, AccountKind.TEACHER_AVAILABLE)
    owed = sum(balance_of(kind, currency, teacher_id=SAMPLE.teacher_id).minor for kind in held)
    return (*(balance_of(kind, currency).minor for kind in kinds), owed)


def succeeds(refund):
    record_refund(read_refund(refund_object(refund, status="succeeded")))
    refund.refresh_from_db()
    return refund


def part(line, minor):
    return OfLines([LinePart(line_id=line.pk, amount=Money(minor, line.order.currency))])


@pytest.mark.parametrize(
    ("mode", "owed_by", "paid", "booked"),
    [
        ("included", "teacher", 10000, (0, 1000, 9000)),
        ("included", "platform", 10000, (1667, 833, 7500)),
        ("added", "teacher", 12000, (0, 1000, 11000)),
        ("added", "platform", 12000, (2000, 1000, 9000)),
    ],
)
def test_a_sale_books_the_tax_to_who_owes_it_and_a_refund_reverses_it(settings, mode, owed_by, paid, booked):
    settings.TAX_RATE_BPS, settings.TAX_MODE, settings.TAX_OWED_BY = 2000, mode, owed_by
    payment = paid_order(10000)
    assert (payment.amount_minor, payment.order.total_minor) == (paid, paid)
    assert books() == booked
    succeeds(refunded(payment, WholeOrder()))
    assert books() == (0, 0, 0)


def test_parts_of_a_refund_follow_the_running_total(platform_owes):
    payment = paid_order(1005)  # 2.01 are added; the fee is 1.01
    line = payment.order.lines.get()
    for minor in (402, 402, 402):
        line.refresh_from_db()
        succeeds(refunded(payment, part(line, minor)))
    assert [(each.tax_minor, each.fee_minor) for each in line.refund_allocations.order_by("pk")] == [
        (67, 34), (67, 33), (67, 34),
    ]  # fmt: skip
    assert books() == (0, 0, 0)


def test_a_refund_that_fails_owes_the_tax_again(platform_owes):
    payment = paid_order(10000)
    refund = succeeds(refunded(payment, part(payment.order.lines.get(), 6000)))
    assert books() == (1000, 500, 4500)
    record_refund(read_refund(refund_object(refund, status="failed")))
    assert books() == (2000, 1000, 9000)


def test_a_line_that_could_not_be_delivered_owes_no_tax(platform_owes):
    reference = sample_offer(Money(10000, "GBP"))
    SAMPLE.undeliverable.add(reference)
    payment = open_order(reference)
    settle_payment(evidence_for(payment))
    assert books() == (0, 0, 0)
    assert balance_of(AccountKind.REFUNDS_DUE, "GBP").minor == 12000


@pytest.mark.parametrize(("ending", "booked"), [("lose", (1000, 500, 4500)), ("win", (2000, 1000, 9000))])
def test_a_dispute_takes_the_tax_in_proportion_once_it_is_lost(platform_owes, ending, booked):
    case = Case(paid_order(10000), 6000)
    case.open()
    assert books() == (2000, 1000, 9000)  # the share is held
    getattr(case, ending)()
    assert books() == booked


def test_a_refund_and_a_dispute_of_the_rest_leave_nothing(platform_owes):
    payment = paid_order(1005, 3333)
    succeeds(refunded(payment, part(payment.order.lines.first(), 403)))
    payment.refresh_from_db()
    case = Case(payment, payment.refundable.minor)
    case.open()
    case.lose()
    assert books() == (0, 0, 0)


def test_a_discount_is_taken_off_before_the_tax(platform_owes):
    teacher = TeacherFactory()
    order = paid_discounted(10000, codes=[code_of(percent=25, bearer=teacher)], teacher=teacher).order
    assert (order.subtotal_minor, order.discount_minor, order.tax_minor, order.total_minor) == (10000, 2500, 1500, 9000)
    assert balance_of(AccountKind.TAX_PAYABLE, "GBP").minor == 1500
    assert balance_of(AccountKind.TEACHER_PENDING, "GBP", teacher_id=teacher.pk).minor == 6750


@pytest.mark.parametrize(("mode", "earned"), [("added", 9000), ("included", 7500)])
def test_a_discount_of_the_platform_leaves_the_teacher_the_share_of_the_net_price(platform_owes, mode, earned):
    platform_owes.TAX_MODE = mode
    teacher = TeacherFactory()
    payment = paid_discounted(10000, codes=[code_of(percent=50)], teacher=teacher)
    assert balance_of(AccountKind.TEACHER_PENDING, "GBP", teacher_id=teacher.pk).minor == earned
    succeeds(refunded(payment, WholeOrder()))
    assert balance_of(AccountKind.TEACHER_PENDING, "GBP", teacher_id=teacher.pk).minor == 0
    assert balance_of(AccountKind.PLATFORM_DISCOUNTS, "GBP").minor == 0


def test_what_costs_nothing_has_no_tax(platform_owes):
    order = paid_discounted(10000, codes=[code_of(percent=100)], teacher=TeacherFactory()).order
    assert (order.total_minor, order.tax_minor) == (0, 0)


def test_a_change_of_rate_leaves_what_is_sold_and_asks_again_about_a_cart(platform_owes):
    sold = paid_order(10000)
    cart = cart_with(sample_offer(Money(10000, "GBP")))
    seen = price_cart(cart)
    platform_owes.TAX_RATES = (("*", 2100, date.min),)
    with pytest.raises(CartChanged):
        start_checkout(user=cart.user, cart=cart, agreed_digest=seen.digest)
    assert price_cart(cart).total == Money(12100, "GBP")
    succeeds(refunded(sold, WholeOrder()))
    assert books() == (0, 0, 0)


def test_the_seller_is_frozen_on_the_line_where_the_teacher_owes_the_tax(settings):
    settings.TAX_RATE_BPS = 2000
    teacher = TeacherFactory(display_name="Ada King", tax_number="GB123456789")
    payment = open_order(sample_offer(Money(12000, "GBP"), teacher=teacher))
    order, _ = settle_payment(evidence_for(payment))
    teacher.display_name, teacher.tax_number = "Another", "None"
    teacher.save()
    assert "Sold by Ada King, VAT number: GB123456789" in text_of_pdf(render_receipt(order))
    page = client_of(order.user).get(order.get_absolute_url()).content.decode()
    assert "Sold by Ada King, VAT number: GB123456789" in page


@pytest.mark.parametrize("changes", [{"TAX_RATE_BPS": 0}, {"TAX_RATE_BPS": 2000, "TAX_OWED_BY": "platform"}])
def test_otherwise_the_platform_is_the_seller(settings, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert not paid_order(1000).order.lines.get().tax_debtor_name


def test_receipt_and_credit_note_show_rate_net_tax_and_gross(platform_owes):
    platform_owes.TAX_RATES = (("*", 2000, date.min),)
    payment = paid_order(10000, 333)
    receipt = text_of_pdf(render_receipt(payment.order))
    for text in ("£100.00", "VAT 20 %", "£20.67", "£103.33", "£124.00"):
        assert text in receipt, text
    refund = succeeds(refunded(payment, part(payment.order.lines.get(unit_amount_minor=10000), 6000)))
    note = text_of_pdf(render_credit_note(number_credit_note(refund)))
    for text in ("VAT 20 %", "-£60.00", "-£50.00", "-£10.00"):
        assert text in note, text


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        ("added", ("£100.00", "VAT 20 %", "£20.00", "£120.00")),
        ("included", ("£100.00", "VAT 20 %", "£16.67")),
    ],
)
def test_cart_order_mail_and_api_show_the_same_tax(settings, mailoutbox, mode, shown):
    settings.TAX_RATE_BPS, settings.TAX_MODE = 2000, mode
    cart = cart_with(sample_offer(Money(10000, "GBP")))
    page = render_to_string("payments/cart_show.html", {"priced": price_cart(cart)})
    answer = client_of(cart.user).get("/api/v1/cart").json()
    payment = open_order(cart=cart)
    order, _ = settle_payment(evidence_for(payment))
    pages = [page, client_of(order.user).get(order.get_absolute_url()).content.decode()]
    for text in shown:
        assert all(text in each for each in pages), text
    assert answer["total"] == str(order.total.to_major())
    assert answer["tax"] == str(order.tax.to_major())
    assert answer["lines"][0]["tax"] == str(order.tax.to_major())
    drain(Mail, seconds=20)
    bodies = [mail.body for mail in mailoutbox if "receipt" in mail.body]
    assert any(f"Including VAT 20 %: {shown[2]}" in body for body in bodies)


@pytest.mark.parametrize(("currency", "minor"), [("GBP", 333), ("JPY", 333), ("KWD", 3330)])
@pytest.mark.parametrize("mode", ["added", "included"])
@pytest.mark.django_db(transaction=True)
def test_stripes_page_shows_the_lines_and_charges_exactly_our_total(stripe_sandbox, settings, currency, minor, mode):
    settings.TAX_RATE_BPS, settings.TAX_MODE, settings.TAX_OWED_BY = 750, mode, "platform"
    cart = cart_with(*(sample_offer(Money(each * minor, currency)) for each in (1, 2, 7)), quantity=3)
    seen = price_cart(cart)
    payment = start_checkout(user=cart.user, cart=cart, agreed_digest=seen.digest)
    session = stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")
    items = stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}/line_items")["data"]
    assert session["amount_total"] == seen.total.minor == payment.order.total_minor
    assert [item["description"] for item in items if "VAT" in item["description"]] == ["VAT 7.5 %"] * (mode == "added")
    order, _ = settle_payment(evidence_for(payment))
    assert order.is_paid


def test_staff_see_the_tax_that_a_refund_gives_back_before_they_confirm(platform_owes):
    payment = paid_order(10000)
    wanted = part(payment.order.lines.get(), 6000)
    preview = preview_of_request(payment.order, wanted)
    assert preview.platform_tax == Money(1000, "GBP")
    assert preview.fee + preview.platform_tax + preview.shares[0][1] == preview.total
    page = render_to_string("payments/admin/_refund_preview.html", {"preview": preview})
    for text in ("Tax not owed", "£10.00", "£5.00", "£45.00", "of which VAT 20 %"):
        assert text in page


@pytest.mark.parametrize(
    "changes",
    [
        {"platform_tax_minor": 0},
        {"platform_tax_minor": 1999, "teacher_share_minor": 9001},
        {"tax_added_minor": 1999},
        {"teacher_share_minor": 9001},
    ],
)
def test_the_database_refuses_parts_that_do_not_add_up(platform_owes, changes):
    line = paid_order(10000).order.lines.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderLine.objects.filter(pk=line.pk).update(**changes)


def test_staff_see_the_tax_of_each_line(platform_owes):
    payment = paid_order(10000)
    page = client_of(staff_in("finance")).get(reverse("admin:payments_order_change", args=[payment.order_id]))
    assert "VAT 20 %" in page.content.decode()
    assert "£20.00" in page.content.decode()
