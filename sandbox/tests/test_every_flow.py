"""Each flow told from its beginning to its end: every event, in order, with what changed and who caused it.

An event is written as its type; `*` behind it says that no call caused it, and what follows are the fields whose
previous values it carries. What single objects do is tested beside them.
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
def told(sandbox, client):
    """What was told since it was asked last, once everything due has happened; of an account, everything."""
    seen: set[str] = set()

    def tell(account=None):
        sandbox.drain()
        events = client.v1.events.list({"limit": 100}, of(account) if account else None).data[::-1]
        new = [event for event in events if event.id not in seen]
        seen.update(event.id for event in new)
        return [written(event.to_dict()) for event in new]

    return tell


def written(event):
    changed = event["data"].get("previous_attributes") or {}
    caused = "" if event["request"]["id"] else "*"
    return " ".join([event["type"] + caused, *sorted(changed)])


def debit(client, iban):
    billing = {"name": "Ada", "email": "ada@example.org"}
    asked = {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": billing}
    return client.v1.payment_methods.create(asked).id


def test_a_guest_pays_and_no_customer_is_made(sandbox, client, told):
    session = sandbox.session(
        client_reference_id="ref-7",
        metadata={"of": "session"},
        payment_intent_data={"metadata": {"of": "payment"}},
    )
    sandbox.pay(session)
    assert told() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed*",
    ]
    sandbox.advance(3)
    assert told() == [SETTLED]
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    intent, paid_charge = paid.payment_intent, paid.payment_intent.latest_charge
    assert (paid.customer, intent.customer, paid_charge.customer) == (None, None, None)
    assert (paid.client_reference_id, intent.payment_details.order_reference) == ("ref-7", session.id)
    assert [x.metadata.to_dict()["of"] for x in (paid, intent, paid_charge)] == ["session", "payment", "payment"]
    # What is written on the payment later stays there.
    client.v1.payment_intents.update(intent.id, {"metadata": {"of": "later"}})
    assert client.v1.charges.retrieve(paid_charge.id).metadata.of == "payment"
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.metadata.to_dict() == {}


def test_a_new_customer_keeps_the_card(sandbox, client, told):
    saving = {"setup_future_usage": "off_session"}
    sandbox.pay(sandbox.session(customer_creation="always", payment_intent_data=saving))
    assert told() == [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_method.attached",
        "payment_intent.succeeded",
        "checkout.session.completed*",
    ]


def test_a_declined_buyer_tries_again_and_the_session_is_never_told_of_the_decline(sandbox, client, told):
    session = sandbox.session()
    sandbox.pay(session, "pm_card_visa_chargeDeclined")
    assert told() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    sandbox.pay(session)
    assert told() == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed*"]
    sandbox.advance(3)
    assert told() == [SETTLED]


@pytest.mark.parametrize(
    ("outcome", "after"),
    [
        ("pass", ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed*"]),
        ("fail", ["payment_intent.payment_failed"]),
    ],
)
def test_the_bank_asks_the_buyer_first(sandbox, client, told, outcome, after):
    session = sandbox.session()
    sandbox.pay(session, "pm_card_threeDSecure2Required")
    assert told() == ["payment_intent.created", "payment_intent.requires_action"]
    sandbox.post(f"/3ds/{sandbox.intent_of(session).id}", outcome=outcome)
    assert told() == after


def test_an_abandoned_session_expires_and_takes_its_payment_along(sandbox, client, told):
    sandbox.pay(sandbox.session(), "pm_card_visa_chargeDeclined")
    told()
    sandbox.advance(25 * 3600)
    assert told() == ["payment_intent.canceled*", "checkout.session.expired*"]
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
def test_a_bank_debit_is_answered_when_the_session_is_long_complete(sandbox, client, told, iban, answer):
    session = sandbox.session(currency="eur", payment_method_types=["sepa_debit"])
    sandbox.pay(session, debit(client, iban))
    assert told() == [
        "payment_intent.created",
        "payment_intent.processing",
        "charge.pending",
        "checkout.session.completed*",
    ]
    waiting = client.v1.checkout.sessions.retrieve(session.id)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    sandbox.advance(10)
    assert told() == answer


def test_refunds_in_parts_tell_what_they_changed_and_later_how_they_arrived(sandbox, client, told):
    paid = client.v1.payment_intents.create(PAID)
    sandbox.advance(3)
    told()
    client.v1.refunds.create({"charge": paid.latest_charge, "amount": 500})
    assert told() == ["refund.created", "charge.refunded amount_refunded"]
    sandbox.advance(5)
    assert told() == RECEIPT_OF_REFUND
    client.v1.refunds.create({"charge": paid.latest_charge})
    assert told() == ["refund.created", "charge.refunded amount_refunded refunded"]


def test_a_refund_that_fails_says_so_three_times(sandbox, client, told):
    paid = client.v1.payment_intents.create(PAID | {"payment_method": "pm_card_refundFail"})
    sandbox.advance(3)
    client.v1.refunds.create({"charge": paid.latest_charge})
    told()
    sandbox.advance(10)
    assert told() == ["refund.failed*", "refund.updated* status", "charge.refund.updated* status"]


def test_a_dispute_is_nobodys_call_until_it_is_answered(sandbox, client, told):
    client.v1.payment_intents.create(PAID | {"payment_method": "pm_card_createDispute"})
    told()
    sandbox.advance(10)
    assert told() == [
        SETTLED,
        "charge.dispute.created*",
        "charge.dispute.funds_withdrawn*",
        "charge.updated* dispute disputed",
    ]
    dispute = client.v1.disputes.list().data[0]
    assert dispute.metadata.to_dict() == {}
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert told() == ["charge.dispute.updated evidence evidence_details status"]
    sandbox.advance(90 * DAY)
    assert told()[:2] == [
        "charge.dispute.closed* balance_transactions is_charge_refundable status",
        "charge.dispute.funds_reinstated*",
    ]


def test_a_code_is_used_up_by_the_payment_it_was_given_for(sandbox, client, told):
    coupon = client.v1.coupons.create({"percent_off": 25, "duration": "once", "max_redemptions": 1})
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    session = sandbox.session(discounts=[{"promotion_code": code.id}])
    told()
    sandbox.pay(session)
    events = told()
    assert events[:3] == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert events[-1] == "checkout.session.completed*"
    assert not any(event.startswith("customer.discount") for event in events)
    used = client.v1.coupons.retrieve(coupon.id)
    assert (used.times_redeemed, used.valid) == (1, False)


def test_a_payment_for_a_teacher_is_told_on_both_sides(sandbox, client, told):
    account = custom(client)
    sandbox.advance(3)
    told(account)
    told()
    share = {"transfer_data": {"destination": account.id}, "application_fee_amount": 450, "metadata": {"order": "7"}}
    paid = charge(client, 3000, method="pm_card_visa", **share)
    assert told() == [
        "payment_intent.created",
        "transfer.created",
        "application_fee.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert told(account) == ["payment.created"]
    transfer = client.v1.transfers.list().data[0]
    assert (transfer.metadata.to_dict(), transfer.transfer_group) == ({}, f"group_pi{paid.id.removeprefix('pi')}")
    back = {"payment_intent": paid.id, "reverse_transfer": True, "refund_application_fee": True}
    client.v1.refunds.create(back)
    assert told() == [
        "transfer.reversed amount_reversed reversed",
        "application_fee.refunded amount_refunded refunded",
        "refund.created",
        "charge.refunded amount_refunded refunded",
    ]


def test_a_payment_to_a_teacher_is_theirs_but_for_the_fee(sandbox, client, told):
    account = custom(client)
    sandbox.advance(3)
    told(account)
    told()
    charge(client, 3000, options=of(account), application_fee_amount=300)
    assert told() == ["application_fee.created"]
    paid = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert told(account) == [*paid, "balance.available*"]


def test_onboarding_ends_with_an_account_that_changed(sandbox, client, told):
    account = custom(client)
    told(account)
    sandbox.advance(3)
    events = told(account)
    assert {event.split()[0] for event in events} == {"person.updated*", "capability.updated*", "account.updated*"}
    assert {"charges_enabled", "payouts_enabled", "requirements"} <= set(events[-1].split())
