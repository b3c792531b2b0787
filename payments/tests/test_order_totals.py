"""An order's totals are its lines' sums, discounts and tax included, in the database and on Stripe's page."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from money import Money
from money.limits import limits_of
from money.shares import spread
from payments.checkout import _new_payment
from payments.documents.receipt import render_receipt
from payments.models import Order, OrderLine
from payments.models.order import lines_in_lock_order
from payments.orders import write_order
from payments.pricing import price_cart
from payments.return_addresses import own_addresses
from payments.session_line import SessionLine
from payments.sessions import open_session
from payments.settlement import settle_payment
from payments.tests.factories import cart_with, evidence_for, open_order, sample_offer
from payments.tests.test_receipts import content_of

pytestmark = pytest.mark.django_db


def priced_with(discount, *prices, quantity=1, currency="GBP"):
    """A cart of items at these prices, with a discount spread over its lines."""
    references = [sample_offer(Money(minor, currency)) for minor in prices]
    cart = cart_with(*references, quantity=quantity)
    priced = price_cart(cart)
    parts = spread(Money(discount, currency), over=[line.list_amount for line in priced.lines])
    lines = [replace(line, discount_minor=part.minor) for line, part in zip(priced.lines, parts, strict=True)]
    return replace(priced, lines=lines)


def order_with(discount, *prices, **changes):
    priced = priced_with(discount, *prices, **changes)
    return write_order(user_id=priced.cart.user_id, priced=priced)


def by_price(order, *names):
    lines = order.lines.order_by("-unit_amount_minor")
    return [[getattr(line, f"{name}_minor") for line in lines] for name in names]


@pytest.mark.parametrize(
    ("discount", "prices", "quantity", "amounts", "fees"),
    [
        (100, [600, 400], 1, [540, 360], [54, 36]),
        (1000, [5000, 3000, 2000], 1, [4500, 2700, 1800], [450, 270, 180]),
        (5000, [3000], 4, [7000], [700]),
        (2500, [5000, 3000, 2000], 1, [3750, 2250, 1500], [375, 225, 150]),
        (3000, [3000], 1, [0], [0]),
    ],
)
def test_fee_and_share_are_of_what_is_paid(settings, discount, prices, quantity, amounts, fees):
    settings.DEFAULT_COMMISSION_BPS = 1000
    order = order_with(discount, *prices, quantity=quantity)
    shares = [amount - fee for amount, fee in zip(amounts, fees, strict=True)]
    assert by_price(order, "amount", "platform_fee", "teacher_share") == [amounts, fees, shares]
    assert (order.subtotal_minor, order.discount_minor) == (sum(prices) * quantity, discount)
    assert order.total_minor == sum(amounts)


def test_an_orders_tax_is_the_sum_of_its_lines_taxes(settings):
    settings.TAX_RATE_BPS = 2000
    order = order_with(100, 333, 334)
    assert order.tax_minor == sum(order.lines.values_list("tax_minor", flat=True)) == 94


def test_the_student_agrees_to_the_discounted_price():
    priced = priced_with(100, 600, 400)
    assert priced.total == Money(900, "GBP")
    assert priced.digest != price_cart(priced.cart).digest


def refuse_at_commit():
    """Check the deferred constraints as a commit would, and reset them, so that the end of the test does not."""
    with pytest.raises(IntegrityError, match="do not add up"):
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    transaction.set_rollback(True)


@pytest.mark.parametrize("table", [Order, OrderLine])
@pytest.mark.parametrize("column", ["discount_minor", "tax_minor"])
def test_the_database_refuses_an_order_its_lines_do_not_add_up_to(table, column):
    """Each row is valid by itself; only the sum is wrong."""
    order = order_with(100, 600, 400)
    rows = Order.objects.filter(pk=order.pk) if table is Order else OrderLine.objects.filter(pk=order.lines.first().pk)
    row = rows.get()
    changes = {column: getattr(row, column) + 7}
    if column == "discount_minor":
        if table is Order:
            changes["total_minor"] = row.total_minor - 7
        else:
            changes |= {"amount_minor": row.amount_minor - 7, "teacher_share_minor": row.teacher_share_minor - 7}
    rows.update(**changes)
    refuse_at_commit()


def test_the_database_refuses_the_deletion_of_a_line():
    order = order_with(0, 600, 400)
    order.lines.first().delete()
    refuse_at_commit()


@pytest.mark.parametrize("changes", [{"subtotal_minor": 901}, {"tax_minor": 901}])
def test_the_database_refuses_totals_that_contradict_themselves(changes):
    order = order_with(100, 600, 400)
    with pytest.raises(IntegrityError, match="order_t"), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(**changes)


@given(st.integers(0, 10**7), st.integers(1, 100), st.sampled_from(["GBP", "JPY", "KWD", "ISK"]))
def test_stripes_page_charges_exactly_the_total(steps, quantity, currency):
    step = limits_of(currency).step
    line = SessionLine.over(step * steps, title="Lesson", description="", quantity=quantity)
    assert line.unit_amount * line.quantity == step * steps
    assert line.unit_amount.minor % step.minor == 0
    assert line.title == "Lesson" if line.quantity == quantity else line.title == f"{quantity} × Lesson"


@pytest.mark.parametrize(
    ("currency", "minor", "unit_amount"),
    [("ISK", 199_900, 199_900), ("ISK", 199_800, 99_900), ("KWD", 19_990, 19_990), ("KWD", 19_980, 9_990)],
)
def test_stripes_page_gets_no_unit_finer_than_the_currency_is_charged(currency, minor, unit_amount):
    """antiwork/gumroad#7605: two at 999.50 krónur each make a whole number of krónur, but Stripe refuses each."""
    line = SessionLine.over(Money(minor, currency), title="Lesson", description="", quantity=2)
    assert line.unit_amount == Money(unit_amount, currency)
    assert line.unit_amount * line.quantity == Money(minor, currency)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("discount", "quantity", "shown"),
    [(5000, 4, ("Sample", 1750, 4)), (2000, 3, ("3 × Sample", 7000, 1))],
)
def test_a_discount_that_does_not_divide_reaches_stripe_exactly(stripe_sandbox, discount, quantity, shown):
    with transaction.atomic():
        order = order_with(discount, 3000, quantity=quantity)
    payment = open_session(_new_payment(order, own_addresses()).pk)
    session = stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")
    assert session["amount_total"] == order.total_minor == 7000
    (line,) = stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}/line_items")["data"]
    title, unit_amount, count = shown
    assert line["description"].startswith(title)
    assert (line["price"]["unit_amount"], line["quantity"]) == (unit_amount, count)
    settled, _ = settle_payment(evidence_for(payment))
    assert settled.is_paid


def test_a_receipt_shows_the_discount():
    payment = open_order(sample_offer(Money(3000, "GBP")), quantity=4)
    line = lines_in_lock_order(payment.order)[0]
    with transaction.atomic():
        OrderLine.objects.filter(pk=line.pk).update(
            discount_minor=5000, amount_minor=7000, platform_fee_minor=700, teacher_share_minor=6300
        )
        Order.objects.filter(pk=payment.order_id).update(discount_minor=5000, total_minor=7000)
        payment.amount_minor = 7000
        payment.save()
    drawn = content_of(render_receipt(settle_payment(evidence_for(payment))[0])).decode("windows-1252")
    for text in ("£120.00 less a discount of £50.00", "Before discounts", "-£50.00", "£70.00"):
        assert text in drawn


def test_cart_and_order_pages_show_the_discount():
    priced = priced_with(5000, 3000, quantity=4)
    cart_page = render_to_string("payments/cart_show.html", {"priced": priced})
    order = write_order(user_id=priced.cart.user_id, priced=priced)
    order_page = render_to_string(
        "payments/_order_lines.html", {"order": order, "lines": [(line, "") for line in lines_in_lock_order(order)]}
    )
    for page in (cart_page, order_page):
        for text in ("£120.00", "−£50.00", "£70.00"):
            assert text in page
