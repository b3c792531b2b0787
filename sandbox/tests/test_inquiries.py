import pytest
import stripe

from sandbox.tests.test_disputes import DAY, answer, disputed, event, pay

__all__ = ["disputed", "pay"]


@pytest.fixture
def inquiry(disputed):
    return disputed("createDisputeInquiry")


def status_of(client, dispute):
    return client.v1.disputes.retrieve(dispute.id).status


def test_an_inquiry_withdraws_no_money(sandbox, client, inquiry):
    assert (inquiry.status, inquiry.is_charge_refundable) == ("warning_needs_response", True)
    assert inquiry.payment_method_details.card.case_type == "inquiry"
    assert inquiry.balance_transactions == []
    types = sandbox.event_types()
    assert types[-2:] == ["charge.dispute.created", "charge.updated"]
    assert client.v1.balance.retrieve().available[0].amount == 0


def test_an_unanswered_inquiry_is_closed_after_120_days(sandbox, client, inquiry):
    sandbox.advance(119 * DAY)
    assert status_of(client, inquiry) == "warning_needs_response"
    sandbox.advance(DAY)
    assert status_of(client, inquiry) == "warning_closed"
    closed = event(client, "charge.dispute.closed")
    assert closed.data.previous_attributes.to_dict() == {"status": "warning_needs_response"}


def test_only_a_full_refund_closes_an_inquiry(sandbox, client, inquiry):
    client.v1.refunds.create({"charge": inquiry.charge, "amount": 500})
    assert status_of(client, inquiry) == "warning_needs_response"
    client.v1.refunds.create({"charge": inquiry.charge})
    assert status_of(client, inquiry) == "warning_closed"
    types = [kind for kind in sandbox.event_types() if not kind.endswith("updated")]
    assert types[-3:] == ["refund.created", "charge.refunded", "charge.dispute.closed"]


def test_an_answered_inquiry_is_under_review_and_can_escalate(sandbox, client, inquiry):
    answered = answer(client, inquiry, "escalate_inquiry_evidence")
    assert answered.status == "warning_under_review"
    sandbox.advance(5)
    escalated = client.v1.disputes.retrieve(inquiry.id)
    assert (escalated.status, escalated.is_charge_refundable) == ("needs_response", False)
    assert escalated.payment_method_details.card.case_type == "chargeback"
    assert [movement.net for movement in escalated.balance_transactions] == [-3500]
    assert sandbox.event_types()[-2:] == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]
    previous = event(client, "charge.dispute.updated").data.previous_attributes.to_dict()
    assert (previous["status"], previous["is_charge_refundable"]) == ("warning_under_review", True)
    assert answer(client, inquiry, "winning_evidence").status == "under_review"
    sandbox.advance(5)
    assert status_of(client, inquiry) == "won"


def test_an_escalated_inquiry_has_a_deadline(sandbox, client, inquiry):
    answer(client, inquiry, "escalate_inquiry_evidence")
    sandbox.advance(10 * DAY)
    assert status_of(client, inquiry) == "lost"


def test_an_escalated_inquiry_disputes_only_the_unrefunded_amount(sandbox, client, inquiry):
    answer(client, inquiry, "escalate_inquiry_evidence")
    client.v1.refunds.create({"charge": inquiry.charge, "amount": 500})
    sandbox.advance(5)
    escalated = client.v1.disputes.retrieve(inquiry.id)
    assert (escalated.amount, escalated.balance_transactions[0].amount) == (1500, -1500)


@pytest.mark.parametrize("text", ["losing_evidence", "winning_evidence"])
def test_an_inquiry_that_does_not_escalate_is_closed(sandbox, client, inquiry, text):
    answer(client, inquiry, text)
    sandbox.advance(5)
    closed = client.v1.disputes.retrieve(inquiry.id)
    assert (closed.status, closed.balance_transactions) == ("warning_closed", [])
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        answer(client, inquiry, text)


def test_an_early_fraud_warning_is_actionable_until_a_full_refund(sandbox, client, pay):
    charge = pay("createIssuerFraudRecord")
    assert sandbox.event_types()[-1] == "radar.early_fraud_warning.created"
    warning = client.v1.radar.early_fraud_warnings.list({"charge": charge}).data[0]
    assert (warning.actionable, warning.charge) == (True, charge)
    assert client.v1.charges.retrieve(charge).disputed is False
    by_intent = client.v1.radar.early_fraud_warnings.list({"payment_intent": warning.payment_intent})
    assert [found.id for found in by_intent.data] == [warning.id]
    client.v1.refunds.create({"charge": charge})
    shown = client.v1.radar.early_fraud_warnings.retrieve(warning.id, {"expand": ["charge"]})
    assert (shown.actionable, shown.charge.refunded) == (False, True)
    updated = event(client, "radar.early_fraud_warning.updated")
    assert updated.data.previous_attributes.to_dict() == {"actionable": True}
    with pytest.raises(stripe.InvalidRequestError, match="No such early fraud warning: 'issfr_none'"):
        client.v1.radar.early_fraud_warnings.retrieve("issfr_none")
    assert client.v1.reviews.list().data == []
