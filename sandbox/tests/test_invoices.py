"""Status transitions of invoices: draft, finalize, send, void."""

import pytest
import stripe

from sandbox.tests.invoicing import DAY, inked, last_event, new_customer, opened, types_since


@pytest.fixture
def customer(client):
    return new_customer(client)


def test_a_draft_takes_its_fields_from_its_customer_and_items(sandbox, client, customer):
    made = inked(client, customer, description="Thanks", metadata={"order": "7"})
    assert (made.status, made.number, made.billing_reason, made.parent) == ("draft", None, "manual", None)
    assert (made.amount_due, made.subtotal, made.total, made.customer_email) == (2000, 2000, 2000, "ada@example.org")
    assert (made.collection_method, made.auto_advance, made.hosted_invoice_url) == ("charge_automatically", False, None)
    [line] = made.lines.data
    assert (line.amount, line.description, line.parent.type, line.invoice) == (
        2000,
        "Ink",
        "invoice_item_details",
        made.id,
    )
    assert sandbox.event_types() == ["customer.created", "invoice.created", "invoiceitem.created", "invoice.updated"]
    assert last_event(client, "invoice.updated").previous_attributes["total"] == 0


def test_finalizing_assigns_a_number_and_creates_a_payment_intent(sandbox, client, customer):
    first = opened(client, customer)
    assert (first.status, first.number) == ("open", f"{client.v1.customers.retrieve(customer.id).invoice_prefix}-0001")
    assert first.status_transitions.finalized_at == first.effective_at
    assert first.hosted_invoice_url == f"{sandbox.url}/i/{first.id}"
    assert types_since(sandbox, "invoice.finalized") == ["invoice.finalized", "payment_intent.created"]
    shown = client.v1.invoices.retrieve(
        first.id, {"expand": ["payments.data.payment.payment_intent", "confirmation_secret", "customer"]}
    )
    [payment] = shown.payments.data
    intent = payment.payment.payment_intent
    assert (payment.status, payment.amount_requested, payment.amount_paid, payment.is_default) == (
        "open",
        2000,
        None,
        True,
    )
    assert (intent.amount, intent.status, intent.capture_method) == (2000, "requires_payment_method", "automatic")
    assert shown.confirmation_secret.client_secret == intent.client_secret
    assert opened(client, customer).number.endswith("-0002")
    with pytest.raises(stripe.InvalidRequestError, match="already finalized"):
        client.v1.invoices.finalize_invoice(first.id)


def test_an_invoice_is_sent_and_becomes_overdue(sandbox, client, customer):
    invoice = inked(client, customer, collection_method="send_invoice", days_until_due=7)
    sent = client.v1.invoices.send_invoice(invoice.id)
    assert (sent.status, sent.due_date) == ("open", sent.status_transitions.finalized_at + 7 * DAY)
    assert types_since(sandbox, "invoice.finalized") == ["invoice.finalized", "payment_intent.created", "invoice.sent"]
    sandbox.advance(8 * DAY)
    assert sandbox.event_types()[-1] == "invoice.overdue"
    listed = client.v1.invoices.list({"due_date": {"lte": sent.due_date}, "collection_method": "send_invoice"})
    assert [found.id for found in listed.data] == [invoice.id]
    assert client.v1.invoices.list({"due_date": {"gt": sent.due_date}}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="cannot be sent right now"):
        client.v1.invoices.send_invoice(opened(client, customer).id)


def test_sending_requires_an_email_address(client):
    customer = client.v1.customers.create({"name": "No mail"})
    with pytest.raises(stripe.InvalidRequestError, match="Missing email"):
        client.v1.invoices.create({"customer": customer.id, "collection_method": "send_invoice", "days_until_due": 3})


def test_voiding_keeps_the_number_and_cancels_the_payment(sandbox, client, customer):
    invoice = opened(client, customer)
    voided = client.v1.invoices.void_invoice(invoice.id)
    assert (voided.status, voided.number, voided.status_transitions.voided_at is None) == (
        "void",
        invoice.number,
        False,
    )
    assert types_since(sandbox, "invoice.voided") == ["invoice.voided", "payment_intent.canceled"]
    [payment] = client.v1.invoice_payments.list({"invoice": invoice.id, "expand": ["data.payment.payment_intent"]}).data
    assert payment.status == "canceled"
    assert payment.payment.payment_intent.cancellation_reason == "void_invoice"
    for refused in (client.v1.invoices.pay, client.v1.invoices.void_invoice, client.v1.invoices.mark_uncollectible):
        with pytest.raises(stripe.InvalidRequestError, match="This invoice isn't open"):
            refused(invoice.id)


def test_an_uncollectible_invoice_can_still_be_paid_or_voided(sandbox, client, customer):
    first, second = opened(client, customer), opened(client, customer)
    written_off = client.v1.invoices.mark_uncollectible(first.id)
    assert (written_off.status, sandbox.event_types()[-1]) == ("uncollectible", "invoice.marked_uncollectible")
    assert client.v1.invoices.pay(first.id, {"payment_method": "pm_card_visa"}).status == "paid"
    client.v1.invoices.mark_uncollectible(second.id)
    assert client.v1.invoices.void_invoice(second.id).status == "void"
    with pytest.raises(stripe.InvalidRequestError, match="This invoice isn't open"):
        client.v1.invoices.mark_uncollectible(inked(client, customer).id)


def test_only_drafts_can_be_deleted_and_their_items_are_deleted_too(sandbox, client, customer):
    waiting = client.v1.invoice_items.create({"customer": customer.id, "amount": 300, "currency": "usd"})
    invoice = inked(client, customer, pending_invoice_items_behavior="include")
    assert [line.amount for line in invoice.lines.data] == [2000, 300]
    deleted = client.v1.invoices.delete(invoice.id)
    assert deleted.to_dict() == {"id": invoice.id, "object": "invoice", "deleted": True}
    assert sandbox.event_types()[-1] == "invoice.deleted"
    assert client.v1.invoice_items.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such Invoice Item"):
        client.v1.invoice_items.retrieve(waiting.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such invoice") as gone:
        client.v1.invoices.retrieve(invoice.id)
    assert gone.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError, match="only delete draft"):
        client.v1.invoices.delete(opened(client, customer).id)


def test_an_open_invoice_cannot_change_its_amounts_or_texts(sandbox, client, customer):
    invoice = inked(client, customer)
    changed = client.v1.invoices.update(invoice.id, {"description": "Hello", "footer": "Bye", "metadata": {"a": "1"}})
    assert (changed.description, changed.footer, changed.metadata["a"]) == ("Hello", "Bye", "1")
    assert last_event(client, "invoice.updated").previous_attributes["description"] is None
    client.v1.invoices.finalize_invoice(invoice.id)
    assert client.v1.invoices.update(invoice.id, {"metadata": {"b": "2"}}).metadata.to_dict() == {"a": "1", "b": "2"}
    with pytest.raises(stripe.InvalidRequestError, match="can't be updated in this way") as fixed:
        client.v1.invoices.update(invoice.id, {"description": "Later"})
    assert fixed.value.param == "description"
    on = client.v1.invoices.update(invoice.id, {"auto_advance": True})
    assert on.next_payment_attempt is not None
    assert client.v1.invoices.update(invoice.id, {"auto_advance": False}).next_payment_attempt is None


def test_invoices_are_filtered_and_searched_by_their_fields(client, customer):
    open_one, other = opened(client, customer), inked(client, client.v1.customers.create({"name": "Bea"}))

    def ids(**filters):
        return [found.id for found in client.v1.invoices.list(filters).data]

    assert ids() == [other.id, open_one.id]
    assert ids(customer=customer.id) == ids(status="open") == [open_one.id]
    assert ids(collection_method="send_invoice") == []
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        ids(subscription="sub_none")
    assert ids(created={"lte": other.created}, limit=1) == [other.id]
    found = client.v1.invoices.search({"query": f"number:'{open_one.number}' AND total>100"})
    assert [hit.id for hit in found.data] == [open_one.id]
    assert client.v1.invoice_payments.list({"payment": {"type": "payment_record"}}).data == []
    [payment] = client.v1.invoice_payments.list({"payment": {"type": "payment_intent"}}).data
    named = {"type": "payment_intent", "payment_intent": payment.payment.payment_intent}
    assert [hit.id for hit in client.v1.invoice_payments.list({"payment": named}).data] == [payment.id]
    shown = client.v1.invoice_payments.retrieve(payment.id, {"expand": ["invoice"]})
    assert shown.invoice.id == open_one.id


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"customer": "cus_none"}, "customer"),
        ({"days_until_due": 3}, None),
        ({"collection_method": "send_invoice"}, None),
        ({"collection_method": "send_invoice", "days_until_due": 3, "due_date": 2_000_000_000}, "due_date"),
        ({"default_payment_method": "pm_none"}, "default_payment_method"),
        ({"default_tax_rates": ["txr_none"]}, "default_tax_rates[0]"),
        ({"discounts": [{"coupon": "NONE"}]}, "discounts[0][coupon]"),
        ({"discounts": [{"promotion_code": "promo_none"}]}, "discounts[0][promotion_code]"),
        ({"subscription": "sub_none"}, "subscription"),
        ({"collection_method": "by_pigeon"}, "collection_method"),
    ],
)
def test_an_invalid_invoice_is_refused(client, customer, changes, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.create({"customer": customer.id} | changes)
    assert refused.value.param == param


def test_an_invoice_needs_a_customer_and_the_customers_own_method(client, customer):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.create({})
    assert refused.value.param == "customer"
    loose = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        client.v1.invoices.create({"customer": customer.id, "default_payment_method": loose.id})
    other = client.v1.customers.create({"email": "b@example.org"})
    foreign = client.v1.payment_methods.attach("pm_card_visa", {"customer": other.id})
    with pytest.raises(stripe.InvalidRequestError, match="different Customer"):
        client.v1.invoices.pay(opened(client, customer).id, {"payment_method": foreign.id})
