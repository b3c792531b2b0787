import pytest
import stripe

DAY = 24 * 3600


@pytest.fixture
def pay(sandbox, client):
    """Pay with a card and wait for the effects of the card; returns the charge's id."""

    def paid(alias="createDispute", amount=2000, seconds=10, **changes):
        intent = client.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": "usd",
                "payment_method": f"pm_card_{alias}",
                "confirm": True,
                "payment_method_types": ["card"],
                **changes,
            }
        )
        sandbox.advance(seconds)
        return intent.latest_charge

    return paid


@pytest.fixture
def disputed(pay, client):
    """The dispute of a payment."""

    def dispute_of(alias="createDispute", **changes):
        return client.v1.disputes.list({"charge": pay(alias, **changes)}).data[0]

    return dispute_of


def event(client, kind):
    return client.v1.events.list({"type": kind}).data[0]


def answer(client, dispute, text, **changes):
    return client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}, **changes})


def test_a_dispute_withdraws_the_amount_and_a_fee_with_events_in_order(sandbox, client, disputed):
    dispute = disputed()
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 2000)
    assert dispute.is_charge_refundable is False
    assert dispute.payment_method_details.card.case_type == "chargeback"
    assert sandbox.event_types()[-4:] == [
        "charge.updated",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.updated",
    ]
    withdrawal = dispute.balance_transactions[0]
    assert (withdrawal.type, withdrawal.reporting_category) == ("adjustment", "dispute")
    assert (withdrawal.amount, withdrawal.fee, withdrawal.net) == (-2000, 1500, -3500)
    assert withdrawal.fee_details[0].description == "Dispute fee"
    assert withdrawal.description == f"Chargeback withdrawal for {dispute.charge}"
    assert withdrawal.source == dispute.id
    charge_updated = event(client, "charge.updated")
    assert charge_updated.data.previous_attributes.to_dict() == {"dispute": None, "disputed": False}
    assert event(client, "charge.dispute.created")["request"]["id"] is None
    assert client.v1.charges.retrieve(dispute.charge).disputed is True


def test_a_dispute_reduces_the_available_balance_immediately(client, disputed):
    disputed()
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (-3500, 1912)


def test_evidence_has_every_field_and_the_buyers_data(sandbox, client):
    address = {"line1": "1 Main St", "city": "Graz", "postal_code": "8010", "country": "AT"}
    method = client.v1.payment_methods.create(
        {
            "type": "card",
            "card": {"number": "4000000000000259", "exp_month": 12, "exp_year": 2040, "cvc": "123"},
            "billing_details": {"name": "Ada", "email": "ada@example.org", "address": address},
        }
    )
    client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "payment_method": method.id,
            "confirm": True,
            "payment_method_types": ["card"],
        }
    )
    sandbox.advance(10)
    evidence = client.v1.disputes.list().data[0].evidence
    assert (evidence.customer_name, evidence.customer_email_address) == ("Ada", "ada@example.org")
    assert evidence.billing_address == "1 Main St\nGraz, 8010, AT"
    assert len(evidence.to_dict()) == 28
    assert evidence.uncategorized_text is None


def test_evidence_is_due_at_the_end_of_a_day_after_a_week(disputed):
    dispute = disputed()
    due_by = dispute.evidence_details.due_by
    assert (due_by + 1) % DAY == 0
    assert 7 * DAY <= due_by - dispute.created <= 21 * DAY


def test_staged_evidence_is_kept_and_not_submitted(sandbox, client, disputed):
    dispute = disputed()
    staged = answer(client, dispute, "We shipped it.", submit=False)
    assert (staged.status, staged.evidence.uncategorized_text) == ("needs_response", "We shipped it.")
    assert (staged.evidence_details.has_evidence, staged.evidence_details.submission_count) == (True, 0)
    previous = event(client, "charge.dispute.updated").data.previous_attributes.to_dict()
    assert previous == {"evidence": {"uncategorized_text": None}, "evidence_details": {"has_evidence": False}}
    cleared = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": ""}, "submit": False})
    assert cleared.evidence.uncategorized_text is None
    submitted = client.v1.disputes.update(dispute.id, {"submit": True})
    assert (submitted.status, submitted.evidence_details.submission_count) == ("under_review", 1)


def test_submitted_evidence_stays_under_review(sandbox, client, disputed):
    dispute = disputed()
    submitted = answer(client, dispute, "We shipped it.")
    assert (submitted.status, submitted.evidence_details.submission_count) == ("under_review", 1)
    previous = event(client, "charge.dispute.updated").data.previous_attributes.to_dict()
    assert previous == {
        "evidence": {"uncategorized_text": None},
        "evidence_details": {"has_evidence": False, "submission_count": 0},
        "status": "needs_response",
    }
    sandbox.advance(60 * DAY)
    assert client.v1.disputes.retrieve(dispute.id).status == "under_review"
    with pytest.raises(stripe.InvalidRequestError, match="already been submitted"):
        answer(client, dispute, "And another thing.")


def test_winning_reinstates_the_money(sandbox, client, disputed):
    dispute = disputed()
    assert answer(client, dispute, "winning_evidence").status == "under_review"
    sandbox.advance(5)
    won = client.v1.disputes.retrieve(dispute.id)
    assert (won.status, won.is_charge_refundable) == ("won", True)
    types = sandbox.event_types()
    assert types[-3:] == ["charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_reinstated"]
    back = won.balance_transactions[1]
    assert (back.amount, back.fee, back.net) == (2000, -1500, 3500)
    assert (back.reporting_category, back.fee_details[0].description) == ("dispute_reversal", "Dispute fee refund")
    assert back.description == f"Chargeback reversal for {dispute.charge}"
    previous = event(client, "charge.dispute.closed").data.previous_attributes.to_dict()
    assert (previous["status"], previous["is_charge_refundable"]) == ("under_review", False)
    assert len(previous["balance_transactions"]) == 1
    assert client.v1.balance.retrieve().available[0].amount == 0
    assert client.v1.charges.retrieve(dispute.charge).disputed is True


def test_losing_returns_no_money(sandbox, client, disputed):
    dispute = disputed("createDisputeProductNotReceived")
    assert dispute.reason == "product_not_received"
    answer(client, dispute, "losing_evidence")
    sandbox.advance(5)
    lost = client.v1.disputes.retrieve(dispute.id)
    assert (lost.status, len(lost.balance_transactions)) == ("lost", 1)
    assert sandbox.event_types()[-1] == "charge.dispute.closed"
    assert event(client, "charge.dispute.closed").data.previous_attributes.to_dict() == {"status": "under_review"}


def test_an_accepted_dispute_is_lost_and_closed(sandbox, client, disputed):
    dispute = disputed()
    assert client.v1.disputes.close(dispute.id).status == "lost"
    closed = event(client, "charge.dispute.closed")
    assert closed.data.previous_attributes.to_dict() == {"status": "needs_response"}
    assert closed["request"]["id"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.disputes.close(dispute.id)
    assert refused.value.user_message == "This dispute is already closed"
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        answer(client, dispute, "winning_evidence")


def test_an_unanswered_dispute_is_lost_at_its_deadline(sandbox, client, disputed):
    dispute = disputed()
    answer(client, dispute, "only staged", submit=False)
    sandbox.advance(7 * DAY)
    assert client.v1.disputes.retrieve(dispute.id).status == "needs_response"
    sandbox.advance(3 * DAY)
    assert client.v1.disputes.retrieve(dispute.id).status == "lost"
    closed = event(client, "charge.dispute.closed")
    assert closed.created == dispute.evidence_details.due_by


def test_a_payment_disputed_twice_is_not_disputed_beyond_its_amount(client, pay):
    charge = pay("createMultipleDisputes", amount=2001)
    disputes = client.v1.disputes.list({"charge": charge}).data
    assert [dispute.amount for dispute in disputes] == [1000, 1001]
    assert sum(dispute.balance_transactions[0].amount for dispute in disputes) == -2001


def test_a_compliance_dispute_requires_its_fee_to_be_acknowledged(client, disputed):
    dispute = disputed("createComplianceDispute")
    assert (dispute.reason, dispute.payment_method_details.card.case_type) == ("noncompliant", "compliance")
    assert dispute.enhanced_eligibility_types == ["visa_compliance"]
    eligibility = dispute.evidence_details.enhanced_eligibility
    assert eligibility.visa_compliance.status == "requires_fee_acknowledgement"
    with pytest.raises(stripe.InvalidRequestError, match="acknowledged"):
        answer(client, dispute, "It was compliant.")
    acknowledged = {"visa_compliance": {"fee_acknowledged": True}}
    updated = client.v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "It was.", "enhanced_evidence": acknowledged}}
    )
    assert updated.status == "under_review"
    assert updated.evidence_details.enhanced_eligibility.visa_compliance.status == "fee_acknowledged"


def test_complete_compelling_evidence_qualifies(client, disputed, pay):
    priors = [pay("visa"), pay("visa")]
    dispute = disputed("createCe3EligibleDispute")
    eligibility = dispute.evidence_details.enhanced_eligibility.visa_compelling_evidence_3
    assert (eligibility.status, len(eligibility.required_actions)) == ("requires_action", 5)
    same_buyer = {"customer_email_address": "ada@example.org", "product_description": "A course"}
    enhanced = {
        "visa_compelling_evidence_3": {
            "disputed_transaction": same_buyer | {"merchandise_or_services": "services"},
            "prior_undisputed_transactions": [{"charge": charge, **same_buyer} for charge in priors],
        }
    }
    updated = client.v1.disputes.update(dispute.id, {"evidence": {"enhanced_evidence": enhanced}, "submit": False})
    eligibility = updated.evidence_details.enhanced_eligibility.visa_compelling_evidence_3
    assert (eligibility.status, eligibility.required_actions) == ("qualified", [])
    compliance = {"visa_compliance": {"fee_acknowledged": True}}
    with pytest.raises(stripe.InvalidRequestError, match="not eligible for visa_compliance"):
        client.v1.disputes.update(dispute.id, {"evidence": {"enhanced_evidence": compliance}})


def test_an_authorised_payment_is_disputed_only_after_its_capture(sandbox, client, pay):
    charge = pay(capture_method="manual")
    assert client.v1.disputes.list({"charge": charge}).data == []
    intent = client.v1.charges.retrieve(charge).payment_intent
    client.v1.payment_intents.capture(intent, {"amount_to_capture": 1500})
    sandbox.advance(10)
    assert [dispute.amount for dispute in client.v1.disputes.list({"payment_intent": intent}).data] == [1500]


def test_updating_metadata_changes_nothing_else_and_the_payment_is_expanded(client, disputed):
    dispute = disputed()
    updated = client.v1.disputes.update(dispute.id, {"metadata": {"case": "7"}})
    assert (updated.metadata.to_dict(), updated.status) == ({"case": "7"}, "needs_response")
    assert event(client, "charge.dispute.updated").data.previous_attributes.to_dict() == {"metadata": {"case": None}}
    shown = client.v1.disputes.retrieve(dispute.id, {"expand": ["charge", "payment_intent"]})
    assert (shown.charge.disputed, shown.payment_intent.latest_charge) == (True, dispute.charge)


def test_disputes_are_filtered_by_charge_intent_and_time(client, disputed):
    first, second = disputed(), disputed()
    listed = client.v1.disputes.list()
    assert [dispute.id for dispute in listed.data] == [second.id, first.id]
    assert [d.id for d in client.v1.disputes.list({"payment_intent": first.payment_intent}).data] == [first.id]
    assert client.v1.disputes.list({"created": {"gt": second.created}}).data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.disputes.retrieve("du_none")
    assert (refused.value.http_status, refused.value.user_message) == (404, "No such dispute: 'du_none'")
    assert refused.value.param == "dispute"


def test_evidence_has_limits(client, disputed):
    dispute = disputed()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.disputes.update(dispute.id, {"evidence": {"colour": "blue"}})
    assert refused.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError, match="at most 20000"):
        answer(client, dispute, "x" * 20_001)
    fields = ("uncategorized_text", "product_description", "access_activity_log", "refund_policy_disclosure",
              "cancellation_rebuttal", "service_date", "shipping_date", "customer_name")  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError, match="limited to 150,000"):
        client.v1.disputes.update(dispute.id, {"evidence": dict.fromkeys(fields, "x" * 19_999)})
    assert client.v1.disputes.retrieve(dispute.id).evidence_details.has_evidence is False
