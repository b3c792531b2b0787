import pytest
import stripe


def test_a_customer_is_created_updated_and_deleted(sandbox, client):
    made = client.v1.customers.create(
        {
            "email": "ada@example.org",
            "name": "Ada",
            "address": {"country": "GB", "city": "London"},
            "shipping": {"name": "Ada", "address": {"line1": "1 Long Lane"}},
            "preferred_locales": ["en", "de"],
            "metadata": {"a": "1", "b": "2"},
        }
    )
    assert (made.address.postal_code, made.shipping.address.line1, made.balance) == (None, "1 Long Lane", 0)
    changed = client.v1.customers.update(made.id, {"name": "Ada L", "metadata": {"a": ""}, "tax_exempt": "exempt"})
    assert (changed.name, changed.metadata.to_dict(), changed.tax_exempt) == ("Ada L", {"b": "2"}, "exempt")
    event = client.v1.events.list({"type": "customer.updated"}).data[0]
    assert event.data.previous_attributes["name"] == "Ada"
    before = len(sandbox.event_types())
    client.v1.customers.update(made.id, {"name": "Ada L"})
    assert len(sandbox.event_types()) == before
    assert client.v1.customers.delete(made.id).deleted is True
    assert client.v1.customers.retrieve(made.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such customer") as refused:
        client.v1.customers.update(made.id, {"name": "x"})
    assert refused.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.setup_intents.create({"customer": made.id})


def test_a_method_in_the_creation_is_attached_and_may_be_the_default(sandbox, client):
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    made = client.v1.customers.create(
        {"payment_method": method.id, "invoice_settings": {"default_payment_method": method.id}}
    )
    assert made.invoice_settings.default_payment_method == method.id
    expanded = client.v1.customers.retrieve(made.id, {"expand": ["invoice_settings.default_payment_method"]})
    assert expanded.invoice_settings.default_payment_method.customer == made.id
    assert sandbox.event_types()[-2:] == ["customer.created", "payment_method.attached"]


def test_no_customer_is_created_if_the_card_is_declined(sandbox, client):
    with pytest.raises(stripe.CardError):
        client.v1.customers.create({"payment_method": "pm_card_visa_chargeDeclined"})
    assert client.v1.customers.list().data == []


def test_only_an_attached_method_can_be_the_default(sandbox, client):
    made = client.v1.customers.create()
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method with the ID") as refused:
        client.v1.customers.update(made.id, {"invoice_settings": {"default_payment_method": method.id}})
    assert refused.value.param == "invoice_settings[default_payment_method]"


def test_tax_ids_belong_to_their_customer(sandbox, client):
    made = client.v1.customers.create({"tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}]})
    (first,) = client.v1.customers.tax_ids.list(made.id).data
    assert (first.country, first.value, first.verification.status) == ("DE", "DE123456789", "pending")
    second = client.v1.customers.tax_ids.create(made.id, {"type": "gb_vat", "value": "GB123456789"})
    expanded = client.v1.customers.retrieve(made.id, {"expand": ["tax_ids"]})
    assert [tax_id.id for tax_id in expanded.tax_ids.data] == [second.id, first.id]
    assert client.v1.customers.tax_ids.delete(made.id, first.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such tax_id"):
        client.v1.tax_ids.retrieve(first.id)
    assert sandbox.event_types()[-1] == "customer.tax_id.deleted"
    assert [one.id for one in client.v1.tax_ids.list().data] == [second.id]


def test_computed_fields_are_shown_when_expanded(sandbox, client):
    made = client.v1.customers.create({"address": {"country": "DE"}})
    wanted = ["tax", "cash_balance", "sources", "subscriptions", "tax_ids", "invoice_credit_balance"]
    expanded = client.v1.customers.retrieve(made.id, {"expand": wanted})
    assert (expanded.tax.automatic_tax, expanded.tax.location.country) == ("supported", "DE")
    assert (expanded.cash_balance.available, expanded.subscriptions.data) == (None, [])
    assert not hasattr(client.v1.customers.retrieve(made.id), "tax")
    assert client.v1.customers.cash_balance.retrieve(made.id).customer == made.id


def test_customers_are_filtered_by_email_and_creation_time(sandbox, client):
    ada = client.v1.customers.create({"email": "ada@example.org"})
    client.v1.customers.create({"email": "bob@example.org"})
    assert [one.id for one in client.v1.customers.list({"email": "ada@example.org"}).data] == [ada.id]
    assert client.v1.customers.list({"created": {"lt": ada.created}}).data == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"email": "nonsense"}, "Invalid email address"),
        ({"invoice_prefix": "a b"}, "Invoice prefixes must be"),
        ({"source": "tok_visa"}, "does not act on 'source'"),
        ({"colour": "red"}, "Received unknown parameter: colour"),
        ({"tax_exempt": "often"}, "must be one of exempt, none, or reverse"),
        ({"test_clock": "clock_missing"}, "No such"),
    ],
)
def test_invalid_parameters_are_refused(sandbox, client, params, message):
    with pytest.raises(stripe.InvalidRequestError, match=message):
        client.v1.customers.create(params)
