"""A discount on every document of an order: cart, Stripe's page, order, receipt, API, ledger; and codes as files."""

import csv
from io import StringIO

import pytest
from django.urls import reverse

from accounts.tests.factories import TeacherFactory
from integrations.tests.factories import program_of
from ledger.models import Posting
from money import Money
from payments.documents.receipt import render_receipt
from payments.models import Order
from payments.pricing import price_cart
from payments.settlement import settle_payment
from payments.tests.discount_factories import code_of, discounted_cart, paid_discounted
from payments.tests.drawn_text import text_of_pdf
from payments.tests.factories import client_of, evidence_for, staff_in
from payments.tests.test_api_purchases import CREATE, kind_of, send
from payments.tests.test_checkout import press_pay
from payments.tests.test_discount_pages import ask, page_of

pytestmark = pytest.mark.django_db


def test_pages_receipt_and_answers_name_the_codes_beside_the_discount():
    codes = [code_of(percent=10, code=code, is_stackable=True) for code in ("SPRING", "STAFF-5")]
    order = paid_discounted(1000, codes=codes).order
    page = page_of(client_of(order.user).get(order.get_absolute_url()))
    assert "Discount (SPRING, STAFF-5)" in page
    assert "With SPRING, STAFF-5" in text_of_pdf(render_receipt(order))
    answer = program_of(order.user).get(f"/api/v1/orders/{order.number}").json()
    assert answer["discount_codes"] == [
        {"code": "SPRING", "amount": "1.00"},
        {"code": "STAFF-5", "amount": "0.90"},
    ]
    staff = client_of(staff_in("finance"))
    assert "SPRING, STAFF-5" in page_of(staff.get(reverse("admin:payments_order_change", args=[order.pk])))


def test_an_order_without_a_code_names_none():
    order = paid_discounted(1000).order
    assert "Discount (" not in page_of(client_of(order.user).get(order.get_absolute_url()))
    assert program_of(order.user).get(f"/api/v1/orders/{order.number}").json()["discount_codes"] == []


@pytest.mark.parametrize(
    ("price", "off", "left", "least"),
    [
        (Money(1000, "GBP"), Money(980, "GBP"), "£0.20", "£0.30"),
        (Money(1000, "JPY"), Money(980, "JPY"), "¥20", "¥50"),
        (Money(1000, "BHD"), Money(999, "BHD"), "BHD", "BHD"),
    ],
)
def test_a_code_that_leaves_too_little_to_charge_says_what_to_do_before_anyone_pays(price, off, left, least):
    code = code_of(off=[off], code="ALMOST")
    cart = discounted_cart(price.minor, currency=price.currency, codes=[code])
    problem = price_cart(cart).problem
    for words in (least, left, "add something else to it, or remove the code ALMOST"):
        assert words in problem
    assert " ".join(problem.split()) in page_of(client_of(cart.user).get("/cart/"))
    response = press_pay(client_of(cart.user), cart)
    assert response.url == "/cart/"
    program = program_of(cart.user)
    assert program.get("/api/v1/cart").json()["problem"] == problem
    refusal = send(program, CREATE)
    assert kind_of(refusal) == (409, "amount-refused")
    assert refusal.json()["detail"] == problem
    cart.discounts.all().delete()
    assert ask(client_of(cart.user), code="ALMOST").json()["problem"] == problem
    assert not Order.objects.exists()


def test_a_cart_at_exactly_zero_has_no_problem_and_is_delivered():
    cart = discounted_cart(20, codes=[code_of(off=[Money(20, "GBP")])])
    assert price_cart(cart).problem == ""
    assert send(program_of(cart.user), CREATE).json()["status"] == "succeeded"
    assert Order.objects.get().is_paid


@pytest.mark.parametrize(
    ("currency", "prices", "percent", "total"),
    [("JPY", (333, 500), 33, 558), ("BHD", (33_330, 5_010), 15, 32_590), ("GBP", (3333, 501), 15, 3259)],
)
def test_one_figure_on_cart_stripes_page_receipt_and_in_the_ledger(
    stripe_sandbox, all_invariants_hold, currency, prices, percent, total
):
    cart = discounted_cart(*prices, currency=currency, codes=[code_of(percent=percent, code="TEST")])
    paid = Money(total, currency)
    assert price_cart(cart).total == paid
    press_pay(client_of(cart.user), cart)
    payment = Order.objects.get().payments.get()
    session = stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")
    assert (session["amount_total"], session["currency"]) == (total, currency.lower())
    settle_payment(evidence_for(payment))
    order = Order.objects.get()
    text = text_of_pdf(render_receipt(order)).replace("\xa0", " ")
    for amount in (paid, order.subtotal, order.discount):
        assert str(amount).replace("\xa0", " ") in text
    booked = Posting.objects.filter(account__currency=currency, amount_minor__gt=0)
    cleared = [each.amount_minor for each in booked if each.account.kind == "stripe_clearing"]
    assert cleared == [total]


def rows_of(response):
    return list(csv.reader(StringIO(response.content.decode())))


def test_a_teacher_downloads_their_own_codes_only():
    anna = TeacherFactory(status="approved")
    code_of(percent=10, bearer=anna, code="ANNA", batch='=HYPERLINK("https://example.org")')
    code_of(percent=10, bearer=TeacherFactory(), code="OTHER")
    paid_discounted(1000, codes=[anna.discount_codes.get()], teacher=anna)
    titles, row = rows_of(client_of(anna.user).get("/teach/discounts/codes.csv"))
    assert dict(zip(titles, row, strict=True)) == {
        "Code": "ANNA",
        "Discount": "10 % off",
        "Condition": "",
        "For": "Everything",
        "Valid from": "",
        "Valid until": "",
        "Uses": "1",
        "Uses at most": "",
        "State": "Valid",
        "Batch": '\'=HYPERLINK("https://example.org")',
    }
    assert client_of(staff_in()).get("/teach/discounts/codes.csv").status_code == 302


def test_staff_download_a_batch():
    code_of(off=[Money(500, "GBP")], least=[Money(2000, "GBP")], code="FIRST", batch="spring", total_limit=1)
    code_of(percent=5, code="OTHER")
    response = client_of(staff_in("finance", "admin")).post(
        reverse("admin:payments_discountcode_changelist") + "?batch=spring",
        {"action": "download", "select_across": "1", "_selected_action": "0"},
    )
    rows = rows_of(response)
    assert [row[:3] for row in rows] == [["Code", "Discount", "Condition"], ["FIRST", "£5.00 off", "from £20.00"]]
