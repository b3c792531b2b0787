"""Each flow from beginning to end: every event in order, with its changed fields and whether a call caused it.

An event is written as its type, with `*` if no call caused it, followed by the fields in its previous_attributes. The
behaviour of single objects is tested in other modules.
"""

import pytest

from sandbox.tests.connected import DAY, charge, custom, of

PAID = {
    "amount": 2000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
    "payment_method_types": ["card"],
}
SETTLED = "charge.updated* balance_transaction receipt_url"
RECEIPT_OF_REFUND = ["refund.updated* destination_details", "charge.refund.updated* destination_details"]


@pytest.fixture
def new_events(sandbox, client):
    """A function that returns the events since its last call, after all due steps; optionally of an account."""
    seen: set[str] = set()

    def read(account=None):
        sandbox.drain()
        events = client.v1.events.list({"limit": 100}, of(account) if account else None).data[::-1]
        new = [event for event in events if event.id not in seen]
        seen.update(event.id for event in new)
        return [written(event.to_dict()) for event in new]

    return read


def written(event):
    changed = event["data"].get("previous_attributes") or {}
    caused = "" if event["request"]["id"] else "*"
    return " ".join([event["type"] + caused, *sorted(changed)])


def debit(client, iban):
    billing = {"name": "Ada", "email": "ada@example.org"}
    parameters = {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": billing}
    return client.v1.payment_methods.create(parameters).id


def test_a_guest_payment_creates_no_customer(sandbox, client, new_events):
    session = sandbox.session(
        client_reference_id="ref-7",
        metadata={"of": "session"},
        payment_intent_data={"metadata": {"of": "payment"}},
    )
    sandbox.pay(session)
    assert new_events() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed*",
    ]
    sandbox.advance(3)
    assert new_events() == [SETTLED]
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    intent, paid_charge = paid.payment_intent, paid.payment_intent.latest_charge
    assert (paid.customer, intent.customer, paid_charge.customer) == (None, None, None)
    assert (paid.client_reference_id, intent.payment_details.order_reference) == ("ref-7", session.id)
    assert [x.metadata.to_dict()["of"] for x in (paid, intent, paid_charge)] == ["session", "payment", "payment"]
    # Later changes of the intent's metadata do not reach the charge.
    client.v1.payment_intents.update(intent.id, {"metadata": {"of": "later"}})
    assert client.v1.charges.retrieve(paid_charge.id).metadata.of == "payment"
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.metadata.to_dict() == {}


def test_the_card_is_attached_to_a_new_customer(sandbox, client, new_events):
    saving = {"setup_future_usage": "off_session"}
    sandbox.pay(sandbox.session(customer_creation="always", payment_intent_data=saving))
    assert new_events() == [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_method.attached",
        "payment_intent.succeeded",
        "checkout.session.completed*",
    ]


def test_a_declined_attempt_emits_no_event_of_the_session(sandbox, client, new_events):
    session = sandbox.session()
    sandbox.pay(session, "pm_card_visa_chargeDeclined")
    assert new_events() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    sandbox.pay(session)
    assert new_events() == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed*"]
    sandbox.advance(3)
    assert new_events() == [SETTLED]


@pytest.mark.parametrize(
    ("outcome", "after"),
    [
        ("pass", ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed*"]),
        ("fail", ["payment_intent.payment_failed"]),
    ],
)
def test_a_payment_with_three_d_secure(sandbox, client, new_events, outcome, after):
    session = sandbox.session()
    sandbox.pay(session, "pm_card_threeDSecure2Required")
    assert new_events() == ["payment_intent.created", "payment_intent.requires_action"]
    sandbox.post(f"/3ds/{sandbox.intent_of(session).id}", outcome=outcome)
    assert new_events() == after


def test_an_abandoned_session_expires_and_cancels_its_payment(sandbox, client, new_events):
    sandbox.pay(sandbox.session(), "pm_card_visa_chargeDeclined")
    new_events()
    sandbox.advance(25 * 3600)
    assert new_events() == ["payment_intent.canceled*", "checkout.session.expired*"]
    canceled = client.v1.payment_intents.list().data[0]
    assert (canceled.cancellation_reason, canceled.payment_method) == ("automatic", None)


@pytest.mark.parametrize(
    ("iban", "answer"),
    [
        (
            "AT611904300234573201",
            [
                "charge.succeeded*",
                "payment_intent.succeeded*",
                "checkout.session.async_payment_succeeded*",
                SETTLED,
            ],
        ),
        (
            "AT861904300235473202",
            ["charge.failed*", "payment_intent.payment_failed*", "checkout.session.async_payment_failed*"],
        ),
    ],
)
def test_a_bank_debit_is_answered_after_the_session_is_complete(sandbox, client, new_events, iban, answer):
    session = sandbox.session(currency="eur", payment_method_types=["sepa_debit"])
    sandbox.pay(session, debit(client, iban))
    assert new_events() == [
        "payment_intent.created",
        "payment_intent.processing",
        "charge.pending",
        "checkout.session.completed*",
    ]
    waiting = client.v1.checkout.sessions.retrieve(session.id)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    sandbox.advance(10)
    assert new_events() == answer


def test_partial_refunds_emit_their_changes_and_later_their_reference(sandbox, client, new_events):
    paid = client.v1.payment_intents.create(PAID)
    sandbox.advance(3)
    new_events()
    client.v1.refunds.create({"charge": paid.latest_charge, "amount": 500})
    assert new_events() == ["refund.created", "charge.refunded amount_refunded"]
    sandbox.advance(5)
    assert new_events() == RECEIPT_OF_REFUND
    client.v1.refunds.create({"charge": paid.latest_charge})
    assert new_events() == ["refund.created", "charge.refunded amount_refunded refunded"]


def test_a_failed_refund_emits_three_events(sandbox, client, new_events):
    paid = client.v1.payment_intents.create(PAID | {"payment_method": "pm_card_refundFail"})
    sandbox.advance(3)
    client.v1.refunds.create({"charge": paid.latest_charge})
    new_events()
    sandbox.advance(10)
    assert new_events() == ["refund.failed*", "refund.updated* status", "charge.refund.updated* status"]


def test_a_disputes_events_have_no_request_until_it_is_answered(sandbox, client, new_events):
    client.v1.payment_intents.create(PAID | {"payment_method": "pm_card_createDispute"})
    new_events()
    sandbox.advance(10)
    assert new_events() == [
        SETTLED,
        "charge.dispute.created*",
        "charge.dispute.funds_withdrawn*",
        "charge.updated* dispute disputed",
    ]
    dispute = client.v1.disputes.list().data[0]
    assert dispute.metadata.to_dict() == {}
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert new_events() == ["charge.dispute.updated evidence evidence_details status"]
    sandbox.advance(90 * DAY)
    assert new_events()[:2] == [
        "charge.dispute.closed* balance_transactions is_charge_refundable status",
        "charge.dispute.funds_reinstated*",
    ]


def test_a_payment_redeems_its_promotion_code(sandbox, client, new_events):
    coupon = client.v1.coupons.create({"percent_off": 25, "duration": "once", "max_redemptions": 1})
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    session = sandbox.session(discounts=[{"promotion_code": code.id}])
    new_events()
    sandbox.pay(session)
    events = new_events()
    assert events[:3] == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert events[-1] == "checkout.session.completed*"
    assert not any(event.startswith("customer.discount") for event in events)
    used = client.v1.coupons.retrieve(coupon.id)
    assert (used.times_redeemed, used.valid) == (1, False)


def test_a_destination_charge_emits_events_on_both_accounts(sandbox, client, new_events):
    account = custom(client)
    sandbox.advance(3)
    new_events(account)
    new_events()
    share = {"transfer_data": {"destination": account.id}, "application_fee_amount": 450, "metadata": {"order": "7"}}
    paid = charge(client, 3000, method="pm_card_visa", **share)
    assert new_events() == [
        "payment_intent.created",
        "transfer.created",
        "application_fee.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert new_events(account) == ["payment.created"]
    transfer = client.v1.transfers.list().data[0]
    assert (transfer.metadata.to_dict(), transfer.transfer_group) == ({}, f"group_pi{paid.id.removeprefix('pi')}")
    back = {"payment_intent": paid.id, "reverse_transfer": True, "refund_application_fee": True}
    client.v1.refunds.create(back)
    assert new_events() == [
        "transfer.reversed amount_reversed reversed",
        "application_fee.refunded amount_refunded refunded",
        "refund.created",
        "charge.refunded amount_refunded refunded",
    ]


def test_a_direct_charge_emits_only_the_fee_on_the_platform(sandbox, client, new_events):
    account = custom(client)
    sandbox.advance(3)
    new_events(account)
    new_events()
    charge(client, 3000, options=of(account), application_fee_amount=300)
    assert new_events() == ["application_fee.created"]
    paid = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert new_events(account) == [*paid, "balance.available*"]


def test_onboarding_ends_with_account_updated(sandbox, client, new_events):
    account = custom(client)
    new_events(account)
    sandbox.advance(3)
    events = new_events(account)
    assert {event.split()[0] for event in events} == {"person.updated*", "capability.updated*", "account.updated*"}
    assert {"charges_enabled", "payouts_enabled", "requirements"} <= set(events[-1].split())
