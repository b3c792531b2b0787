"""The API of payments: right figures, own payments only, errors that say what is wrong, and no waiting for Stripe."""

import time

import jsonschema
import pytest
from django.test import Client
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from hypothesis import given
from hypothesis import strategies as st

from accounts.tests.factories import TeacherFactory, UserFactory
from money import Money, exponent
from payments.models import Order, Payment
from payments.outcomes import record_expiry
from payments.settlement import record_processing, settle_payment
from payments.tests.factories import cart_with, evidence_for, open_order, sample_offer
from payments.tests.test_checkout import press_pay

pytestmark = pytest.mark.django_db
COMMISSION = "/api/payments/test-commission"


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def ask(amount="100", client=None, **query):
    return (client or Client()).get(COMMISSION, {"amount": amount, **query})


def verify(payment, client=None):
    client = client or signed_in(payment.order.user)
    return client.get(reverse("payments-api:verify_status", args=[payment.stripe_session_id]))


def is_as_documented(answer, path, method="get"):
    """Check the body against the OpenAPI document, whatever the status."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    content = document["paths"][path][method]["responses"][str(answer.status_code)]["content"]
    schema = content[answer.headers["Content-Type"]]["schema"] | {"components": document["components"]}
    jsonschema.validate(answer.json(), schema)
    return True


# --- test-commission


def test_the_split_of_a_hundred(settings):
    settings.DEFAULT_COMMISSION_BPS, settings.DEFAULT_CURRENCY = 1000, "GBP"
    answer = ask()
    assert answer.status_code == 200
    assert answer.json() == {
        "currency": "GBP",
        "amount": "100.00",
        "platform_fee": "10.00",
        "teacher_payout": "90.00",
        "total": "100.00",
        "commission_rate": "0.1000",
    }
    assert is_as_documented(answer, COMMISSION)


def test_the_rate_is_the_platforms_setting(settings):
    settings.DEFAULT_COMMISSION_BPS = 1550
    assert ask().json()["platform_fee"] == "15.50"


def test_a_teacher_sees_their_own_rate():
    teacher = TeacherFactory(commission_bps=0)
    answer = ask(client=signed_in(teacher.user)).json()
    assert (answer["platform_fee"], answer["commission_rate"]) == ("0.00", "0.0000")


@pytest.mark.parametrize(
    ("amount", "currency", "fee", "payout"),
    [
        ("0.05", "GBP", "0.01", "0.04"),  # halves are rounded up
        ("0.04", "GBP", "0.00", "0.04"),
        ("1005", "JPY", "101", "904"),
        ("0", "GBP", "0.00", "0.00"),
        ("999999999.99", "GBP", "100000000.00", "899999999.99"),
    ],
)
def test_amounts_are_divided_in_minor_units(amount, currency, fee, payout):
    answer = ask(amount, currency=currency).json()
    assert (answer["platform_fee"], answer["teacher_payout"]) == (fee, payout)


@given(minor=st.integers(0, 99_999_999), currency=st.sampled_from(["GBP", "EUR", "USD", "JPY"]))
def test_fee_and_payout_are_always_the_amount(minor, currency):
    text = str(Money(minor, currency).to_major())
    answer = ask(text, currency=currency, client=Client(REMOTE_ADDR=f"10.0.{minor % 200}.{minor % 251}")).json()
    assert answer["amount"] == answer["total"] == text
    assert all(len(answer[name].partition(".")[2]) == exponent(currency) for name in ("platform_fee", "teacher_payout"))


HOSTILE_AMOUNTS = [
    "", " ", "x", "-1", "+1", "1e3", "1e999", "NaN", "Infinity", "0x10", "1,000", "1.", ".5", "1.005", "1.2.3", "1_000",
    "１００", "٣", "1\0", "\0", "9" * 10, "9" * 5000, "1 000", "'", "1\n2", "\udcff", "true", "[1]",
]  # fmt: skip


@pytest.mark.parametrize("amount", HOSTILE_AMOUNTS)
def test_what_is_no_amount_is_named(amount):
    answer = Client().get(COMMISSION, {"amount": amount.encode("utf-8", "surrogateescape")})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:lectern:problem:invalid"
    assert {error["parameter"] for error in answer.json()["errors"]} == {"amount"}
    assert is_as_documented(answer, COMMISSION)


@pytest.mark.parametrize("currency", ["gbp", "XXX", "CHF", "\0", "G" * 5000, "GBP,EUR"])
def test_a_currency_nothing_is_priced_in_is_named(currency):
    answer = ask(currency=currency)
    assert answer.status_code == 400
    assert {error["parameter"] for error in answer.json()["errors"]} == {"currency"}


def test_without_an_amount_it_is_asked_for():
    answer = Client().get(COMMISSION)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"parameter": "amount", "detail": "This field is required."}]


@pytest.mark.parametrize(
    "address", [f"{COMMISSION}/", "/payments/test-commission", "/payments/test-commission/", COMMISSION]
)
def test_the_other_addresses_answer_alike(address):
    assert Client().get(address, {"amount": "100"}).json() == ask().json()


# --- verify-status


def test_an_open_payment():
    payment = open_order()
    answer = verify(payment)
    assert answer.json() == {
        "sessionId": payment.stripe_session_id,
        "status": "open",
        "currency": payment.currency,
        "amount": str(payment.amount.to_major()),
        "message": "",
        "order": {
            "number": payment.order.number,
            "state": "awaiting_payment",
            "url": f"http://127.0.0.1:8000/my/orders/{payment.order.number}/",
        },
        "poll_after_seconds": 2,
    }
    assert is_as_documented(answer, "/api/payments/verify-status/{session_id}")


@pytest.mark.parametrize(
    ("happen", "status", "state", "poll"),
    [
        (lambda payment: settle_payment(evidence_for(payment)), "succeeded", "completed", None),
        (lambda payment: record_processing(evidence_for(payment)), "processing", "payment_pending", 600),
        (record_expiry, "expired", "cancelled", None),
    ],
)
def test_how_a_payment_ended(happen, status, state, poll):
    payment = open_order()
    happen(payment)
    answer = verify(payment)
    assert (answer.json()["status"], answer.json()["order"]["state"]) == (status, state)
    assert answer.json()["poll_after_seconds"] == poll
    assert is_as_documented(answer, "/api/payments/verify-status/{session_id}")


def test_a_declined_card_leaves_the_page_open_and_says_why():
    payment = open_order()
    Payment.objects.filter(pk=payment.pk).update(status="failed", failure_message="Your card was declined.")
    answer = verify(payment).json()
    assert (answer["status"], answer["message"]) == ("open", "Your card was declined.")


def test_a_payment_that_no_webhook_reported_is_settled(stripe_sandbox, perform_looks):
    payment = open_order_at_stripe()
    stripe_sandbox.pay(payment.stripe_session_id)
    assert verify(payment).json()["status"] == "open"
    assert perform_looks() == 1
    assert verify(payment).json()["status"] == "succeeded"
    assert Order.objects.get().state == Order.State.COMPLETED


def test_a_silent_stripe_is_not_waited_for(stripe_sandbox):
    payment = open_order_at_stripe()
    client = signed_in(payment.order.user)
    with stripe_sandbox.frozen():
        began_at = time.monotonic()
        answers = [verify(payment, client) for _ in range(5)]
        took = time.monotonic() - began_at
    assert [answer.json()["status"] for answer in answers] == ["open"] * 5
    assert took < 1.5


def open_order_at_stripe():
    """An order whose page was really opened."""
    cart = cart_with(sample_offer())
    press_pay(signed_in(cart.user), cart)
    return Payment.objects.select_related("order__user").get()


def test_payments_of_other_people_are_not_found():
    payment = open_order()
    for user in (UserFactory(), UserFactory(is_staff=True), payment.order.lines.get().teacher.user):
        answer = verify(payment, signed_in(user))
        assert answer.status_code == 404
        assert payment.order.number not in answer.content.decode()
    assert is_as_documented(answer, "/api/payments/verify-status/{session_id}")


def test_guests_are_asked_to_sign_in():
    answer = verify(open_order(), Client())
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert is_as_documented(answer, "/api/payments/verify-status/{session_id}")


@pytest.mark.parametrize("session_id", ["x", "%00", "cs_%00", "%ED%A0%80", "9" * 5000, "a%2Fb", "cs_test_", "%27"])
def test_an_id_that_is_none_is_not_found(session_id):
    answer = signed_in(UserFactory()).get(f"/api/payments/verify-status/{session_id}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_an_answer_is_never_kept_by_a_cache():
    assert "no-store" in verify(open_order()).headers["Cache-Control"]


def test_the_number_of_queries_stays_the_same(django_assert_max_num_queries):
    payment = open_order()
    settle_payment(evidence_for(payment))
    client = signed_in(payment.order.user)
    verify(payment, client)
    with django_assert_max_num_queries(12):
        verify(payment, client)
