"""The same request with the same key has one effect and one answer, whatever is repeated, at once or after a crash."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.tests.factories import UserFactory
from integrations.models import StoredAnswer
from integrations.retention import RETENTION
from integrations.tests.factories import program_of
from jobs.retention import delete_expired
from money import Money
from payments.models import CartLine, Order, Payment, Payout, Refund
from payments.settlement import settle_payment
from payments.tests.factories import cart_with, evidence_for, paid_order, sample_offer
from payments.tests.payout_factories import teacher_with
from payments.tests.races import at_once
from payments.tests.test_api_purchases import CREATE, LINES, kind_of, send

pytestmark = pytest.mark.django_db
KEY = "3f0c"


@pytest.fixture
def student():
    return UserFactory()


@pytest.fixture
def program(student):
    return program_of(student)


def wanted(**changes):
    return {"domain": "sample", "reference": sample_offer(), **changes}


def test_a_post_needs_a_key(program):
    answer = program.post(LINES, wanted(), content_type="application/json")
    assert kind_of(answer) == (400, "idempotency-key-missing")
    assert not CartLine.objects.exists()


@pytest.mark.parametrize("key", [" ", "a b", "é", "x" * 256, "a\tb"])
def test_a_key_is_visible_ascii(program, key):
    answer = program.post(LINES, wanted(), content_type="application/json", headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert not CartLine.objects.exists()


def test_a_repetition_gets_the_same_bytes_and_changes_nothing(program):
    body = wanted()
    first = send(program, LINES, body, key=KEY)
    CartLine.objects.update(quantity=5)
    again = send(program, LINES, body, key=KEY)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Content-Type"] == first.headers["Content-Type"] == "application/json"
    assert CartLine.objects.get().quantity == 5


@pytest.mark.parametrize(
    "other",
    [
        lambda program, body: send(program, LINES, {**body, "quantity": 2}, key=KEY),
        lambda program, body: send(program, f"{LINES}?x=1", body, key=KEY),
        lambda program, body: send(program, "/api/v1/payouts", body, key=KEY),
        lambda program, body: send(program, CREATE, body, key=KEY),
        lambda program, body: send(
            program, f"{LINES}/{CartLine.objects.get().pk}", {"quantity": 3}, method="patch", key=KEY
        ),
    ],
)
def test_a_key_of_another_request_is_refused(other):
    teacher = teacher_with()
    program, body = program_of(teacher.user), wanted()
    send(program, LINES, body, key=KEY)
    assert kind_of(other(program, body)) == (422, "idempotency-key-reused")
    assert (CartLine.objects.get().quantity, Order.objects.count(), Payout.objects.count()) == (1, 0, 0)


def test_people_do_not_share_keys(program):
    body = wanted()
    send(program, LINES, body, key=KEY)
    assert send(program_of(UserFactory()), LINES, body, key=KEY).status_code == 200
    assert CartLine.objects.count() == 2


def test_a_refused_request_may_be_corrected_under_its_key(program):
    body = wanted()
    assert kind_of(send(program, LINES, {**body, "quantity": 99}, key=KEY))[0] == 409
    assert not StoredAnswer.objects.exists()
    assert send(program, LINES, body, key=KEY).status_code == 200


def test_the_answer_is_stored_with_the_effect_or_neither_is(program, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("killed")

    program.raise_request_exception = False
    body = wanted()
    with monkeypatch.context() as broken:
        broken.setattr(StoredAnswer, "save", fail)
        assert send(program, LINES, body, key=KEY).status_code == 500
    assert not CartLine.objects.exists()
    assert send(program, LINES, body, key=KEY).status_code == 200


def test_answers_are_deleted_after_a_time(program, settings):
    body = wanted()
    send(program, LINES, body, key=KEY)
    (kept,) = RETENTION
    assert delete_expired(kept) == 0
    StoredAnswer.objects.update(created_at=timezone.now() - settings.STORED_ANSWERS_KEPT - timedelta(seconds=1))
    assert delete_expired(kept) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("all_invariants_hold")
def test_requests_at_once_have_one_effect():
    """Twenty connections ask for the same refund: one is made; the others are told to wait, or get its answer."""
    student = UserFactory()
    line = paid_order(2500, quantity=3, user=student).order.lines.get()
    program = program_of(student)
    address = f"/api/v1/order-lines/{line.pk}/cancellation"
    place = program.get(address).json()["places"][0]["key"]
    accepted = {"places": [place], "digest": program.get(address, {"place": place}).json()["digest"]}
    answers = at_once(*[lambda: send(program, address, accepted, key=KEY)] * 20)
    kinds = [answer.status_code for answer in answers]
    assert 200 in kinds
    assert set(kinds) <= {200, 409}
    assert {kind_of(answer)[1] for answer in answers if answer.status_code == 409} <= {"idempotency-key-in-use"}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert Refund.objects.get().amount == Money(2500, "GBP")
    assert send(program, address, accepted, key=KEY).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_payouts_requested_at_once_are_one():
    program = program_of(teacher_with().user)
    answers = at_once(*[lambda: send(program, "/api/v1/payouts", {"currency": "GBP", "amount": "10"}, key=KEY)] * 10)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert Payout.objects.count() == 1


# --- Over several transactions, with Stripe between them


@pytest.mark.django_db(transaction=True)
def test_checkouts_begun_at_once_are_one(stripe_sandbox):
    student = UserFactory()
    program = program_of(student)
    cart_with(sample_offer(), user=student)
    answers = at_once(*[lambda: send(program, CREATE, key=KEY)] * 6)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert {kind_of(answer)[1] for answer in answers if answer.status_code == 409} <= {"idempotency-key-in-use"}
    assert len(stripe_sandbox.get("checkout/sessions")["data"]) == 1


def test_a_checkout_is_answered_alike_after_it_was_paid(stripe_sandbox, program, student):
    cart_with(sample_offer(), user=student)
    first = send(program, CREATE, key=KEY)
    Order.objects.update(state="cancelled")
    again = send(program, CREATE, key=KEY)
    assert (again.status_code, again.content) == (200, first.content)
    assert Payment.objects.count() == 1


def test_a_checkout_that_was_interrupted_is_continued(stripe_sandbox, program, student):
    cart_with(sample_offer(), user=student)
    stripe_sandbox.fault("server_error", path="/v1/checkout/sessions", count=20)
    assert kind_of(send(program, CREATE, key=KEY)) == (503, "payments-unavailable")
    claim = StoredAnswer.objects.get()
    assert claim.subject == str(Payment.objects.get().pk)
    stripe_sandbox.switch("faults", clear=True)
    assert send(program, CREATE, key=KEY).json()["order"] == Order.objects.get().number
    assert StoredAnswer.objects.get().status == 200


def test_a_checkout_that_was_paid_before_it_was_answered_is_answered(stripe_sandbox, program, student):
    """The process died between opening the page and storing the answer, and the student paid by a link of another tab."""
    cart_with(sample_offer(), user=student)
    body = send(program, CREATE, key=KEY).json()
    payment = Payment.objects.get()
    StoredAnswer.objects.update(status=None, body=None, subject=str(payment.pk), claimed_until=timezone.now())
    settle_payment(evidence_for(payment))
    again = send(program, CREATE, key=KEY).json()
    assert (again["order"], again["status"]) == (body["order"], "succeeded")
    assert Order.objects.count() == 1


def test_a_request_that_is_being_carried_out_is_not_begun_again(program, student):
    cart_with(sample_offer(), user=student)
    with pytest.MonkeyPatch.context() as patched:
        # The process of the first request dies: nothing after its claim is carried out, not even giving it back.
        patched.setattr("integrations.idempotency._given_back", lambda _row: (_ for _ in ()).throw(SystemExit))
        program.raise_request_exception = False
        with pytest.raises(SystemExit):
            send(program, CREATE, key=KEY)
    answer = send(program, CREATE, key=KEY)
    assert kind_of(answer) == (409, "idempotency-key-in-use")
    assert answer.headers["Retry-After"] == "1"
    StoredAnswer.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert kind_of(send(program, CREATE, {"x": 1}, key=KEY)) == (422, "idempotency-key-reused")
    assert connection.in_atomic_block
