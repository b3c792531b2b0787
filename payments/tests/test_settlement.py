"""An order is paid and delivered once, however often and in whatever order Stripe reports it."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import TeacherFactory
from jobs.runner import drain
from money import Money
from notifications.models import Alert, Mail
from notifications.outbox import queue_mail
from payments.contracts import CannotDeliver
from payments.evidence import PaymentDisagrees, PaymentUnknown, SessionNotStoredYet
from payments.models import CartLine, FetchedEvent, Order, OrderLine, Payment, Refund, WebhookEvent
from payments.orders import cancel_order
from payments.settlement import Settlement, settle_payment
from payments.tests.factories import (
    event_of,
    evidence_for,
    intent_object,
    open_order,
    sample_offer,
    session_object,
)
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_webhook_endpoint import every_event_type
from payments.webhook.inbox import store_event
from payments.webhook.routing import ACTED_ON, registered_types

pytestmark = pytest.mark.django_db


def work_on_all(seconds=5):
    """Process the stored events, including delayed ones; then those that must be fetched."""
    WebhookEvent.objects.filter(state="waiting", attempts=0, last_error="").update(run_after="2000-01-01T00:00Z")
    drain(WebhookEvent, seconds=seconds)
    if FetchedEvent.due().exists():
        drain(FetchedEvent, seconds=seconds)


def receive(*events):
    """Store events and process them in this order."""
    for event in events:
        store_event(event, source="webhook")
        work_on_all()


def stored(event):
    return WebhookEvent.objects.get(stripe_id=event["id"])


def completed(payment, **changes):
    return event_of("checkout.session.completed", session_object(payment, **changes))


def intent_paid(payment, **changes):
    return event_of("payment_intent.succeeded", intent_object(payment, **changes))


def test_settling_pays_delivers_empties_the_cart_and_mails_the_student():
    first, second = sample_offer(), sample_offer()
    payment = open_order(first, second)
    order, outcome = settle_payment(evidence_for(payment))
    assert outcome is Settlement.SETTLED
    assert order.state == Order.State.COMPLETED
    assert order.paid_at is not None
    assert [line.state for line in order.lines.all()] == [OrderLine.State.FULFILLED] * 2
    assert SAMPLE.calls["fulfil", first] == SAMPLE.calls["fulfil", second] == 1
    assert not CartLine.objects.filter(cart=order.cart).exists()
    assert Mail.objects.get(key=f"order:{order.number}:paid").to == order.user.email
    payment.refresh_from_db()
    assert payment.status == Payment.Status.SUCCEEDED


def test_settling_again_has_no_effect_and_says_so():
    payment = open_order()
    settle_payment(evidence_for(payment))
    _, outcome = settle_payment(evidence_for(payment))
    assert outcome is Settlement.ALREADY_SETTLED
    assert sum(SAMPLE.calls[call] for call in SAMPLE.calls if call[0] == "fulfil") == 1
    assert Mail.objects.filter(template="payments/mail/payment_confirmed").count() == 1


def test_lines_added_to_the_cart_since_stay_in_it():
    payment = open_order()
    later = CartLine.objects.create(
        cart=payment.order.cart, domain="sample", reference=sample_offer(), seen_unit_minor=2500
    )
    settle_payment(evidence_for(payment))
    assert list(CartLine.objects.filter(cart=payment.order.cart)) == [later]


@pytest.mark.parametrize(
    "change",
    [
        {"total": Money(2499, "GBP")},
        {"total": Money(2501, "GBP")},
        {"total": Money(2500, "EUR")},
        {"livemode": True},
    ],
)
def test_a_payment_that_does_not_fit_the_order_is_never_delivered(change):
    payment = open_order()
    with pytest.raises(PaymentDisagrees):
        settle_payment(evidence_for(payment, **change))
    payment.order.refresh_from_db()
    assert payment.order.state == Order.State.AWAITING_PAYMENT
    assert not any(call[0] == "fulfil" for call in SAMPLE.calls)


def test_the_stored_ids_decide_and_metadata_naming_another_attempt_is_refused():
    mine, other = open_order(), open_order()
    with pytest.raises(PaymentDisagrees):
        settle_payment(evidence_for(mine, payment_reference=str(other.reference)))


def test_metadata_alone_does_not_make_a_foreign_session_pay_an_order():
    payment = open_order()
    with pytest.raises(PaymentDisagrees):
        settle_payment(evidence_for(payment, session_id="cs_test_of_somebody"))


def test_a_payment_without_an_order_is_unknown():
    payment = open_order()
    with pytest.raises(PaymentUnknown):
        settle_payment(evidence_for(payment, session_id="cs_x", payment_reference="no-uuid", payment_intent_id="pi_x"))


def test_a_webhook_before_our_own_commit_waits_and_then_delivers():
    payment = open_order()
    session_id = payment.stripe_session_id
    Payment.objects.filter(pk=payment.pk).update(stripe_session_id=None)
    with pytest.raises(SessionNotStoredYet):
        settle_payment(evidence_for(payment))
    event = completed(payment)
    receive(event)
    assert stored(event).state == "waiting"
    assert stored(event).attempts == 0
    Payment.objects.filter(pk=payment.pk).update(stripe_session_id=session_id)
    WebhookEvent.objects.update(run_after="2000-01-01T00:00Z")
    drain(WebhookEvent, seconds=5)
    assert Order.objects.get(pk=payment.order_id).is_paid


def test_every_order_of_a_purchases_events_ends_in_the_same_state():
    events_of = [
        lambda a: event_of("payment_intent.created", intent_object(a, status="requires_payment_method")),
        intent_paid,
        completed,
        lambda a: event_of("charge.succeeded", {"id": "ch_1", "object": "charge", "status": "succeeded"}),
        lambda a: event_of("charge.updated", {"id": "ch_1", "object": "charge", "status": "succeeded"}),
    ]
    for permutation in itertools.permutations(events_of):
        payment = open_order()
        receive(*(make(payment) for make in permutation))
        order = Order.objects.get(pk=payment.order_id)
        assert order.is_paid
        line = order.lines.get()
        assert line.state == OrderLine.State.FULFILLED
        assert SAMPLE.calls["fulfil", line.reference] == 1
        assert Mail.objects.filter(key=f"order:{order.number}:paid").count() == 1
    assert not WebhookEvent.objects.exclude(state="done").exists()


def test_session_and_intent_together_deliver_once():
    payment = open_order()
    session, intent = completed(payment), intent_paid(payment)
    receive(intent, session)
    assert (stored(intent).outcome, stored(session).outcome) == ("settled", "payment_already_processed")
    assert stored(session).order == payment.order


def test_expired_after_completed_is_ignored():
    payment = open_order()
    receive(completed(payment), event_of("checkout.session.expired", session_object(payment, status="expired")))
    assert Order.objects.get(pk=payment.order_id).is_paid
    assert not any(call[0] == "release" for call in SAMPLE.calls)


def test_expiry_releases_the_places_and_keeps_the_cart():
    reference = sample_offer()
    payment = open_order(reference)
    receive(event_of("checkout.session.expired", session_object(payment, status="expired", payment_status="unpaid")))
    order = Order.objects.get(pk=payment.order_id)
    assert order.state == Order.State.CANCELLED
    assert SAMPLE.calls["release", reference] == 1
    assert order.cart.lines.count() == 1


def test_a_payment_completed_in_the_instant_of_expiry_is_delivered_if_the_place_is_free():
    payment = open_order()
    cancel_order(order_id=payment.order_id, reason="expired", payment_status=Payment.Status.EXPIRED)
    receive(completed(payment))
    assert Order.objects.get(pk=payment.order_id).is_paid


def test_a_payment_completed_after_the_place_was_gone_is_refunded_once_and_student_and_staff_are_mailed():
    reference = sample_offer()
    payment = open_order(reference)
    cancel_order(order_id=payment.order_id, reason="expired", payment_status=Payment.Status.EXPIRED)
    SAMPLE.undeliverable.add(reference)
    receive(completed(payment), intent_paid(payment))
    line = OrderLine.objects.get(order_id=payment.order_id)
    assert line.state == OrderLine.State.UNDELIVERABLE
    refund = Refund.objects.get(allocations__line=line)
    assert refund.amount == line.amount
    assert Mail.objects.filter(template="payments/mail/cannot_deliver").count() == 1
    assert Alert.objects.filter(key=f"cannot-deliver:{payment.order.number}").exists()


def test_one_undeliverable_line_does_not_prevent_the_others():
    good, gone = sample_offer(), sample_offer()
    payment = open_order(good, gone)
    SAMPLE.undeliverable.add(gone)
    settle_payment(evidence_for(payment))
    states = dict(OrderLine.objects.filter(order=payment.order).values_list("reference", "state"))
    assert states == {good: "fulfilled", gone: "undeliverable"}
    assert [part.line.reference for part in Refund.objects.get().allocations.all()] == [gone]


def test_mails_of_a_line_that_turns_out_undeliverable_are_never_sent(monkeypatch):
    good, gone = sample_offer(), sample_offer()
    payment = open_order(good, gone)

    def tell_and_then_see(line):
        queue_mail(key=f"sample:{line.reference}", to=payment.order.user, template="sample", context={})
        if line.reference == gone:
            raise CannotDeliver("The place is gone.")

    monkeypatch.setattr(SAMPLE, "fulfil", tell_and_then_see)
    settle_payment(evidence_for(payment))
    assert [mail.key for mail in Mail.objects.filter(template="sample")] == [f"sample:{good}"]


def test_an_order_of_many_lines_queues_its_mails_in_one_statement(monkeypatch):
    def tell(line):
        queue_mail(key=f"sample:{line.reference}", to=payment.order.user, template="sample", context={})

    monkeypatch.setattr(SAMPLE, "fulfil", tell)
    counted = []
    for lines in (1, 5):
        payment = open_order(*(sample_offer() for _ in range(lines)))
        with CaptureQueriesContext(connection) as queries:
            settle_payment(evidence_for(payment))
        counted.append(len([query for query in queries if "SAVEPOINT" not in query["sql"]]))
    assert Mail.objects.filter(template="sample").count() == 6
    assert counted[0] == counted[1]


def test_an_amount_that_differs_is_quarantined_and_alerts():
    payment = open_order()
    event = completed(payment, amount_total=1)
    receive(event)
    assert stored(event).state == "parked"
    assert stored(event).is_quarantined
    assert Alert.objects.filter(key=f"webhook-event-parked:{event['type']}").exists()
    assert not Order.objects.get(pk=payment.order_id).is_paid


def test_an_event_of_an_unknown_order_is_quarantined_and_can_be_replayed_after_a_fix():
    payment = open_order()
    real_id = payment.stripe_session_id
    event = completed(payment, client_reference_id=None)
    Payment.objects.filter(pk=payment.pk).update(stripe_session_id="cs_other")
    receive(event)
    assert stored(event).is_quarantined
    Payment.objects.filter(pk=payment.pk).update(stripe_session_id=real_id)
    stored(event).retry_now()
    drain(WebhookEvent, seconds=5)
    assert stored(event).state == "done"
    assert not stored(event).is_quarantined
    assert Order.objects.get(pk=payment.order_id).is_paid


def test_a_removed_domain_quarantines_the_event(monkeypatch):
    payment = open_order()
    OrderLine.objects.filter(order=payment.order).update(domain="yoga")
    event = completed(payment)
    receive(event)
    assert stored(event).is_quarantined
    assert not Order.objects.get(pk=payment.order_id).is_paid


def test_a_handler_that_always_fails_parks_its_event_but_no_others(monkeypatch):
    broken, fine = open_order(), open_order()
    broken_event, fine_event = completed(broken), completed(fine)
    SAMPLE.fails_with = RuntimeError("bug")
    for _ in range(WebhookEvent.max_attempts):
        receive(broken_event)
        WebhookEvent.objects.update(run_after="2000-01-01T00:00Z")
    assert stored(broken_event).state == "parked"
    assert "RuntimeError: bug" in stored(broken_event).last_error
    assert stored(broken_event).tries.count() == WebhookEvent.max_attempts
    SAMPLE.fails_with = None
    receive(fine_event)
    assert Order.objects.get(pk=fine.order_id).is_paid
    assert Order.objects.get(pk=broken.order_id).state == Order.State.AWAITING_PAYMENT


def test_unknown_types_are_stored_and_done():
    event = event_of("treasury.something.invented", {"id": "x", "object": "invented"})
    receive(event)
    assert stored(event).state == "done"


@pytest.mark.parametrize(
    "field", ["id", "status", "payment_status", "amount_total", "currency", "livemode", "expires_at"]
)
@pytest.mark.parametrize("value", ["missing", None, [], {"a": 1}, "\ud83d\ude00"])
def test_a_field_that_drifted_alerts_and_delivers_nothing(field, value):
    payment = open_order()
    payload = session_object(payment)
    if value == "missing":
        del payload[field]
    else:
        payload[field] = value
    event = event_of("checkout.session.completed", payload)
    receive(event)
    order = Order.objects.get(pk=payment.order_id)
    if stored(event).state == "done":  # a drifted flag that still reads as "not paid" delivers nothing either
        assert order.state in (Order.State.AWAITING_PAYMENT, Order.State.PAYMENT_PENDING) or field == "livemode"
    else:
        assert not order.is_paid
        assert Alert.objects.exists()


def test_new_fields_are_ignored():
    payment = open_order()
    receive(completed(payment, something_new={"deeply": ["nested"]}))
    assert Order.objects.get(pk=payment.order_id).is_paid


def test_a_bank_debit_delivers_only_when_the_money_has_arrived():
    reference = sample_offer()
    payment = open_order(reference)
    receive(completed(payment, payment_status="unpaid"))
    order = Order.objects.get(pk=payment.order_id)
    assert order.state == Order.State.PAYMENT_PENDING
    assert SAMPLE.calls["fulfil", reference] == 0
    receive(event_of("checkout.session.async_payment_succeeded", session_object(payment)))
    order.refresh_from_db()
    assert order.is_paid
    assert SAMPLE.calls["fulfil", reference] == 1


def test_a_bank_debit_that_fails_releases_the_place_and_restores_the_cart():
    reference = sample_offer()
    payment = open_order(reference)
    receive(
        completed(payment, payment_status="unpaid"),
        event_of("checkout.session.async_payment_failed", session_object(payment, payment_status="unpaid")),
    )
    order = Order.objects.get(pk=payment.order_id)
    assert order.state == Order.State.CANCELLED
    assert SAMPLE.calls["release", reference] == 1
    assert [line.reference for line in order.cart.lines.all()] == [reference]
    assert Mail.objects.filter(template="payments/mail/debit_refused").count() == 1


def test_a_declined_card_leaves_the_order_open_and_sends_no_mail_yet():
    payment = open_order()
    declined = {"type": "card_error", "message": "Your card was declined."}
    failed = {"status": "requires_payment_method", "last_payment_error": declined}
    receive(
        event_of("payment_intent.payment_failed", intent_object(payment, **failed)),
        event_of("payment_intent.payment_failed", intent_object(payment, **failed)),
    )
    assert Order.objects.get(pk=payment.order_id).state == Order.State.AWAITING_PAYMENT
    assert not Mail.objects.filter(template="payments/mail/payment_failed").exists()
    payment.refresh_from_db()
    assert payment.failure_message == "Your card was declined."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": "payment_intent_authentication_failure"}, "Your bank could not confirm that it was you."),
        ({"code": "payment_intent_unexpected_state"}, "The payment did not go through."),
        (None, "The payment did not go through."),
    ],
)
def test_messages_of_stripe_for_developers_are_not_shown_to_students(error, words):
    payment = open_order()
    for_developers = error and {"type": "invalid_request_error", "message": "Provide payment_method_data.", **error}
    failed = {"status": "requires_payment_method", "last_payment_error": for_developers}
    receive(event_of("payment_intent.payment_failed", intent_object(payment, **failed)))
    payment.refresh_from_db()
    assert payment.failure_message.startswith(words)


@pytest.mark.parametrize(
    ("price", "rate", "fee", "share"),
    [
        (Money(10000, "GBP"), 1000, 1000, 9000),
        (Money(105, "GBP"), 1000, 11, 94),
        (Money(999, "JPY"), 1000, 100, 899),
        (Money(12350, "KWD"), 1500, 1853, 10497),
    ],
)
def test_rate_and_split_are_frozen_on_the_line(price, rate, fee, share):
    teacher = TeacherFactory(commission_bps=rate)
    payment = open_order(sample_offer(price, teacher=teacher))
    teacher.commission_bps = 5000
    teacher.save()
    settle_payment(evidence_for(payment))
    line = OrderLine.objects.get(order=payment.order)
    assert (line.commission_bps, line.platform_fee.minor, line.teacher_share.minor) == (rate, fee, share)
    assert line.platform_fee + line.teacher_share == line.amount


def test_the_database_refuses_a_split_that_does_not_add_up():
    payment = open_order()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE payments_orderline SET teacher_share_minor = teacher_share_minor + 1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.create(
            order=payment.order,
            reference="00000000-0000-0000-0000-000000000001",
            idempotency_key="second",
            amount_minor=1,
            currency="GBP",
            expires_at=payment.expires_at,
            livemode=False,
        )


@pytest.mark.django_db(transaction=True)
def test_twenty_workers_settling_the_same_payment_deliver_it_once():
    reference = sample_offer()
    payment = open_order(reference)
    barrier = Barrier(20)

    def settle(_):
        try:
            barrier.wait(timeout=20)
            return settle_payment(evidence_for(payment))[1]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(settle, range(20)))
    assert outcomes.count(Settlement.SETTLED) == 1
    assert SAMPLE.calls["fulfil", reference] == 1
    assert Mail.objects.filter(key=f"order:{payment.order.number}:paid").count() == 1


def test_every_type_that_stripe_lists_is_stored_and_processed_without_an_error(stripe_sandbox):
    types = every_event_type()
    assert len(types) > 200
    for event_type in types:
        store_event(event_of(event_type, {"id": f"x_{event_type}"[:100], "object": "something"}), source="webhook")
    work_on_all(seconds=60)
    states = dict(WebhookEvent.objects.values_list("type", "state"))
    assert set(states) == set(types)
    # The objects to be fetched do not exist at Stripe: parked with an alert. The others are not ours.
    assert {event_type for event_type, state in states.items() if state != "done"} <= ACTED_ON | registered_types()
    assert not WebhookEvent.objects.filter(state__in=["waiting", "running"], needs_fetch=False).exists()
