"""Buying over the API: the same cart, orders and refunds as on the pages, and nothing of other people."""

import uuid

import jsonschema
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator

from accounts.tests.factories import TeacherFactory, UserFactory
from integrations.scopes import Scope
from integrations.tests.factories import program_of
from money import Money
from payments.models import Cart, Order, Payment, Payout, Refund
from payments.return_addresses import AddressNotAllowed, allowed_address
from payments.settlement import settle_payment
from payments.tests.discount_factories import code_of, discounted_cart
from payments.tests.factories import cart_with, evidence_for, open_order, paid_order, sample_offer
from payments.tests.payout_factories import earn, ready_account, requested
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db
CREATE = "/api/payments/create-checkout-session"
LINES = "/api/v1/cart/lines"


@pytest.fixture
def student():
    return UserFactory()


@pytest.fixture
def program(student):
    return program_of(student)


def send(client, address, body=None, *, method="post", key=None, **headers):
    headers |= {"Idempotency-Key": key or uuid.uuid4().hex}
    return getattr(client, method)(address, body or {}, content_type="application/json", headers=headers)


def kind_of(answer):
    return answer.status_code, answer.json()["type"].removeprefix("urn:lectern:problem:")


def is_as_documented(answer, path, method="get"):
    """Check the body against the OpenAPI document, whatever the status."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    content = document["paths"][path][method]["responses"][str(answer.status_code)]["content"]
    schema = content[answer.headers["Content-Type"]]["schema"] | {"components": document["components"]}
    jsonschema.validate(answer.json(), schema)
    return True


# --- The cart


def test_the_cart_is_the_one_of_the_pages(program, student):
    empty = program.get("/api/v1/cart")
    assert empty.json() == {
        "currency": "", "total": None, "tax": None, "discount": None, "problem": "", "can_be_paid": False, "digest": "", "lines": [],
    }  # fmt: skip
    reference = sample_offer(Money(2500, "GBP"))
    answer = send(program, LINES, {"domain": "sample", "reference": reference, "quantity": 2})
    assert answer.status_code == 200
    assert is_as_documented(answer, "/api/v1/cart/lines", "post")
    assert (answer.json()["total"], answer.json()["can_be_paid"]) == ("50.00", True)
    (line,) = answer.json()["lines"]
    assert (line["unit_amount"], line["quantity"]) == ("25.00", 2)
    page = Client()
    page.force_login(student)
    assert "£50.00" in page.get("/cart/").content.decode()
    changed = send(program, f"{LINES}/{line['id']}", {"quantity": 3}, method="patch")
    assert changed.json()["total"] == "75.00"
    assert changed.json()["digest"] != answer.json()["digest"]
    assert send(program, f"{LINES}/{line['id']}", method="delete").json() == empty.json()
    assert program.get("/api/v1/cart").json() == empty.json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"domain": "sample"},
        {"domain": "sample", "reference": "1", "quantity": 0},
        {"domain": "sample", "reference": "1", "quantity": 101},
        {"domain": "sample", "reference": "1", "quantity": "1e3"},
        {"domain": "a b", "reference": "1"},
        {"domain": "sample", "reference": "1\0"},
        {"domain": "sample", "reference": "1", "details": []},
        {"domain": "sample", "reference": "1", "currency": "XXX"},
        [],
        [1],
        "x",
        None,
    ],
)
def test_what_is_no_item_is_named(program, body):
    answer = program.post(LINES, body, content_type="application/json", headers={"Idempotency-Key": "k"})
    assert kind_of(answer)[0] == 400
    assert not Cart.objects.exists()


def test_what_is_not_sold_is_refused_with_the_reason(program):
    answer = send(program, LINES, {"domain": "sample", "reference": "999"})
    assert kind_of(answer) == (409, "not-for-sale")
    assert kind_of(send(program, LINES, {"domain": "nothing", "reference": "1"})) == (409, "not-for-sale")
    reference = sample_offer(places=1)
    assert kind_of(send(program, LINES, {"domain": "sample", "reference": reference, "quantity": 2}))[0] == 409


# --- Paying


def test_the_cart_is_paid_on_stripes_page(stripe_sandbox, program, student):
    cart_with(sample_offer(), user=student)
    answer = send(program, CREATE)
    assert answer.status_code == 200
    assert is_as_documented(answer, CREATE, "post")
    body = answer.json()
    assert (body["status"], body["amount"], body["currency"]) == ("open", "25.00", "GBP")
    assert stripe_sandbox.get(f"checkout/sessions/{body['sessionId']}")["url"] == body["url"]
    assert program.get(f"/api/v1/checkout-sessions/{body['sessionId']}").json()["order"]["number"] == body["order"]
    assert send(program, CREATE).json() == body


@pytest.mark.parametrize("address", [f"{CREATE}/", "/payments/create-checkout-session", "/api/v1/checkout-sessions"])
def test_the_other_addresses_open_the_same_page(stripe_sandbox, program, student, address):
    cart_with(sample_offer(), user=student)
    assert send(program, address).json() == send(program, CREATE).json()


def test_items_take_the_place_of_the_cart(stripe_sandbox, program, student):
    cart_with(sample_offer(), user=student)
    wanted = {"items": [{"domain": "sample", "reference": sample_offer(Money(990, "GBP")), "quantity": 2}]}
    first = send(program, CREATE, wanted).json()
    assert first["amount"] == "19.80"
    assert [line.quantity for line in Cart.objects.get(user=student).lines.all()] == [2]
    assert send(program, CREATE, wanted).json() == first


def test_an_item_that_cannot_be_bought_leaves_the_cart_as_it_was(stripe_sandbox, program, student):
    cart_with(sample_offer(), user=student)
    wanted = [{"domain": "sample", "reference": sample_offer()}, {"domain": "sample", "reference": "999"}]
    assert kind_of(send(program, CREATE, {"items": wanted})) == (409, "not-for-sale")
    assert Cart.objects.get(user=student).lines.count() == 1
    assert not Order.objects.exists()


def test_an_agreed_cart_is_paid_only_while_it_is_the_same(stripe_sandbox, program, student):
    reference = sample_offer(Money(2500, "GBP"))
    cart_with(reference, user=student)
    digest = program.get("/api/v1/cart").json()["digest"]
    SAMPLE.offer(reference, prices=[Money(2600, "GBP")])
    assert kind_of(send(program, CREATE, {"agreed": digest})) == (409, "cart-changed")
    assert not Order.objects.exists()
    assert send(program, CREATE, {"agreed": program.get("/api/v1/cart").json()["digest"]}).json()["amount"] == "26.00"


def test_an_empty_cart_is_refused(program):
    assert kind_of(send(program, CREATE)) == (409, "cart-empty")


def test_a_silent_stripe_is_told_with_a_time_to_wait(stripe_sandbox, program, student):
    cart_with(sample_offer(), user=student)
    stripe_sandbox.fault("server_error", path="/v1/checkout/sessions", count=20)
    answer = send(program, CREATE)
    assert kind_of(answer) == (503, "payments-unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    stripe_sandbox.switch("faults", clear=True)
    assert send(program, CREATE).status_code == 200
    assert Order.objects.count() == 1


def test_stripe_leads_back_to_allowed_sites_only(stripe_sandbox, program, student, settings):
    settings.CHECKOUT_RETURN_ORIGINS = ["https://school.example"]
    cart_with(sample_offer(), user=student)
    wanted = {
        "success_url": "https://school.example/thanks?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://school.example/",
    }
    body = send(program, CREATE, wanted).json()
    session = stripe_sandbox.get(f"checkout/sessions/{body['sessionId']}")
    assert (session["success_url"], session["cancel_url"]) == (wanted["success_url"], wanted["cancel_url"])
    # Without them, this site's page must open, which leads back to this site.
    own = send(program, CREATE).json()
    assert own["sessionId"] != body["sessionId"]
    assert kind_of(send(program, CREATE, {"success_url": "https://evil.example/"})) == (400, "invalid")


HOSTILE = [
    "https://evil.example/", "https://school.example.evil.example/", "https://school.example@evil.example/",
    "https://school.example:444/", "http://school.example/", "//school.example/", "/cart/", "javascript:alert(1)",
    "https://school.example\\@evil.example/", "https://school.example\t.evil.example/", "https://scho\u043el.example/",
    "https://[::1", "", " https://school.example/", "https://school.example/ x", "HTTPS://SCHOOL.EXAMPLE/" + "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("address", HOSTILE)
def test_an_address_elsewhere_is_refused(settings, address):
    settings.CHECKOUT_RETURN_ORIGINS = ["https://school.example"]
    assert allowed_address("https://school.example/a?b=c#d")
    with pytest.raises(AddressNotAllowed):
        allowed_address(address)


# --- Failures


@pytest.mark.parametrize(
    ("change", "action", "message"),
    [
        ({}, "pay_again", "The payment was not completed."),
        ({"status": "failed", "failure_message": "Your card was declined."}, "pay_again", "Your card was declined."),
    ],
)
def test_a_failure_says_what_to_do_next(student, program, change, action, message):
    payment = open_order(user=student)
    Payment.objects.filter(pk=payment.pk).update(**change)
    answer = send(program, "/payments/handle-failure", {"session_id": payment.stripe_session_id})
    assert answer.json()["next"] == {"action": action, "url": payment.session_url}
    assert answer.json()["message"] == message
    settle_payment(evidence_for(payment))
    paid = send(program, "/api/payments/handle-failure", {"session_id": payment.stripe_session_id})
    assert paid.json()["next"] == {"action": "none", "url": None}
    assert is_as_documented(paid, "/api/payments/handle-failure", "post")


def test_nobody_has_saved_cards_yet(program):
    answer = program.get("/payments/payment-methods")
    assert (answer.status_code, answer.json()) == (200, {"payment_methods": []})


# --- Orders


def test_orders_are_listed_and_shown(program, student):
    payment = paid_order(user=student)
    page = program.get("/api/v1/orders")
    assert is_as_documented(page, "/api/v1/orders")
    (order,) = page.json()["results"]
    assert (order["number"], order["total"], order["state"]) == (payment.order.number, "40.00", "completed")
    assert program.get(f"/api/v1/orders/{payment.order.number}").json() == order
    receipt = program.get(order["receipt"].removeprefix("http://127.0.0.1:8000"))
    assert receipt.headers["Content-Type"] == "application/pdf"
    assert b"".join([receipt.content])[:5] == b"%PDF-"


def test_pages_of_orders_follow_each_other_with_constant_queries(program, student):
    numbers = [paid_order(2500, user=student).order.number for _ in range(5)]
    found, address, counts = [], "/api/v1/orders?limit=2", []
    while address:
        with CaptureQueriesContext(connection) as queries:
            page = program.get(address).json()
        counts.append(len(queries))
        found += [order["number"] for order in page["results"]]
        address = page["next"] and page["next"].removeprefix("http://testserver")
    assert found == numbers[::-1]
    assert len(set(counts[:2])) == 1
    with CaptureQueriesContext(connection) as queries:
        program.get("/api/v1/orders?limit=100")
    assert len(queries) == counts[0]


@pytest.mark.parametrize("cursor", ["x", "%00", "e30", "WzFd", "9" * 400])
def test_a_cursor_that_is_none_is_named(program, cursor):
    assert kind_of(program.get(f"/api/v1/orders?cursor={cursor}")) == (400, "invalid")


def test_an_unpaid_order_is_cancelled(stripe_sandbox, program, student):
    cart_with(sample_offer(), user=student)
    body = send(program, CREATE).json()
    cancelled = send(program, f"/api/v1/orders/{body['order']}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    assert stripe_sandbox.get(f"checkout/sessions/{body['sessionId']}")["status"] == "expired"
    assert Cart.objects.get(user=student).lines.count() == 1


def test_a_paid_order_is_not_cancelled_as_a_whole(program, student):
    payment = paid_order(user=student)
    answer = send(program, f"/api/v1/orders/{payment.order.number}/cancel")
    assert kind_of(answer) == (409, "already-paid")
    assert answer.json()["order"] == payment.order.number


def test_a_line_is_cancelled_as_its_offer_says(program, student):
    payment = paid_order(2500, quantity=2, user=student)
    line = payment.order.lines.get()
    address = f"/api/v1/order-lines/{line.pk}/cancellation"
    offer = program.get(address)
    assert is_as_documented(offer, "/api/v1/order-lines/{line_id}/cancellation")
    assert (offer.json()["amount"], len(offer.json()["places"])) == ("50.00", 2)
    one = offer.json()["places"][0]["key"]
    half = program.get(address, {"place": one}).json()
    assert half["amount"] == "25.00"
    accepted = {"places": [one], "digest": half["digest"]}
    key = uuid.uuid4().hex
    answers = [send(program, address, accepted, key=key) for _ in range(3)]
    assert [answer.content for answer in answers] == [answers[0].content] * 3
    assert answers[0].json() == {"currency": "GBP", "amount": "25.00", "order": payment.order.number}
    assert Refund.objects.get().amount == Money(2500, "GBP")
    # A new key is a new request, and the offer is another now.
    assert kind_of(send(program, address, accepted))[0] == 409
    assert Refund.objects.count() == 1


# --- Payouts


def test_a_teacher_requests_a_payout():
    teacher = TeacherFactory()
    ready_account(teacher)
    earn(teacher, 9000)
    program = program_of(teacher.user)
    key = uuid.uuid4().hex
    answers = [send(program, "/api/v1/payouts", {"currency": "GBP", "amount": "50"}, key=key) for _ in range(2)]
    assert answers[0].status_code == 200
    assert is_as_documented(answers[0], "/api/v1/payouts", "post")
    assert answers[0].content == answers[1].content
    assert Payout.objects.get().amount == Money(5000, "GBP")
    assert kind_of(send(program, "/api/v1/payouts", {"currency": "GBP"})) == (409, "payout-refused")
    assert program.get("/api/v1/payouts").json()["results"] == [answers[0].json()]
    assert program.get(f"/api/v1/payouts/{answers[0].json()['reference']}").json() == answers[0].json()


def test_a_student_has_no_payouts(program):
    assert program.get("/api/v1/payouts").status_code == 403
    assert send(program, "/api/v1/payouts", {"currency": "GBP"}).status_code == 403


# --- Other people


def test_nothing_of_other_people_is_found(student):
    payment, payout = paid_order(user=student), requested()
    line = payment.order.lines.first()
    cart_line = cart_with(sample_offer(), user=student).lines.get()
    mine = {"places": ["0"], "digest": "0" * 64}
    for user in (UserFactory(), UserFactory(is_staff=True, is_superuser=True), line.teacher.user):
        other = program_of(user)
        answers = [
            send(other, f"{LINES}/{cart_line.pk}", {"quantity": 2}, method="patch"),
            send(other, f"{LINES}/{cart_line.pk}", method="delete"),
            other.get(f"/api/v1/orders/{payment.order.number}"),
            other.get(f"/api/v1/orders/{payment.order.number}/receipt"),
            send(other, f"/api/v1/orders/{payment.order.number}/cancel"),
            other.get(f"/api/v1/order-lines/{line.pk}/cancellation"),
            send(other, f"/api/v1/order-lines/{line.pk}/cancellation", mine),
            other.get(f"/api/v1/payouts/{payout.reference}"),
            send(other, "/api/payments/handle-failure", {"session_id": payment.stripe_session_id}),
        ]
        assert {kind_of(answer) for answer in answers} == {(404, "not-found")}
        assert other.get("/api/v1/orders").json()["results"] == []
    assert not Refund.objects.exists()


def test_each_scope_opens_its_part_alone(student):
    reader = program_of(student, Scope.PURCHASES_READ)
    assert reader.get("/api/v1/cart").status_code == 200
    assert kind_of(send(reader, CREATE)) == (403, "insufficient-scope")
    assert kind_of(send(reader, LINES, {"domain": "sample", "reference": sample_offer()})) == (
        403,
        "insufficient-scope",
    )
    assert not Cart.objects.exists()


def test_a_cart_that_costs_nothing_is_delivered_at_once(program, student):
    discounted_cart(2500, codes=[code_of(percent=100)], user=student)
    key = uuid.uuid4().hex
    answers = [send(program, CREATE, key=key) for _ in range(2)]
    assert is_as_documented(answers[0], CREATE, "post")
    assert answers[0].content == answers[1].content
    order = Order.objects.get()
    assert order.state == "completed"
    body = answers[0].json()
    assert (body["sessionId"], body["status"], body["amount"]) == (None, "succeeded", "0.00")
    assert body["url"].endswith(order.get_absolute_url())
