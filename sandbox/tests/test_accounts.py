import pytest
import stripe

from sandbox.tests.connected import BANK, PERSON, bank, custom, express


def updates(client, account, kind="account.updated"):
    events = client.v1.events.list({"type": kind, "limit": 100}, {"stripe_account": account.id}).data
    return [event.data.previous_attributes.to_dict() for event in reversed(events)]


def test_a_new_express_account_is_disabled_and_lists_its_requirements(sandbox, client):
    account = express(client, metadata={"teacher": "7"}, business_type="individual")
    assert (account.charges_enabled, account.payouts_enabled, account.details_submitted) == (False, False, False)
    assert account.capabilities.to_dict() == {"transfers": "inactive"}
    assert (account.type, account.controller.stripe_dashboard.type) == ("express", "express")
    assert (account.controller.requirement_collection, account.controller.is_controller) == ("stripe", True)
    due = account.requirements.currently_due
    assert {"external_account", "tos_acceptance.date", "individual.first_name"} <= set(due)
    assert "business_type" not in due
    assert (account.requirements.disabled_reason, account.requirements.past_due) == ("requirements.past_due", [])
    assert account.requirements.eventually_due == due
    assert account.external_accounts.data == []
    assert (account.default_currency, account.settings.payouts.schedule.interval) == ("usd", "daily")
    assert sandbox.event_types() == []


def test_an_account_may_be_described_by_its_controller_instead_of_a_type(sandbox, client):
    controller = {
        "fees": {"payer": "application"},
        "losses": {"payments": "application"},
        "stripe_dashboard": {"type": "express"},
    }
    account = client.v1.accounts.create({"controller": controller, "country": "DE"})
    assert (account.type, account.controller.fees.payer) == ("none", "application")
    assert (account.controller.requirement_collection, account.default_currency) == ("stripe", "eur")
    with pytest.raises(stripe.InvalidRequestError, match="mutually exclusive"):
        client.v1.accounts.create({"type": "express", "controller": controller})
    with pytest.raises(stripe.InvalidRequestError, match="Country 'Narnia' is unknown"):
        client.v1.accounts.create({"type": "express", "country": "Narnia"})
    with pytest.raises(stripe.InvalidRequestError, match="accept the Terms of Service"):
        express(client, tos_acceptance={"date": 1, "ip": "192.0.2.1"})


def test_a_custom_account_with_all_requirements_is_verified_automatically(sandbox, client):
    account = custom(client)
    assert (account.details_submitted, account.charges_enabled) == (True, False)
    assert account.requirements.currently_due == []
    assert account.requirements.pending_verification == ["individual.verification.document"]
    assert account.capabilities.to_dict() == {"card_payments": "pending", "transfers": "pending"}
    assert (account.individual.first_name, account.individual.ssn_last_4_provided) == ("Ada", True)
    sandbox.advance(3)
    account = client.v1.accounts.retrieve(account.id)
    assert (account.charges_enabled, account.payouts_enabled) == (True, True)
    assert account.capabilities.to_dict() == {"card_payments": "active", "transfers": "active"}
    assert account.requirements.disabled_reason is None
    updated = updates(client, account)[-1]
    assert (updated["charges_enabled"], updated["payouts_enabled"]) == (False, False)
    assert updated["capabilities"] == {"card_payments": "pending", "transfers": "pending"}
    changed = updates(client, account, "capability.updated")
    assert [change["status"] for change in changed] == ["pending", "pending"]


def test_account_updated_has_only_changed_fields_and_is_emitted_only_for_changes(sandbox, client):
    account = express(client, metadata={"a": "1", "b": "2"})
    changed = client.v1.accounts.update(
        account.id, {"metadata": {"b": "", "c": "3"}, "business_profile": {"url": "https://a.example.org"}}
    )
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
    assert "business_profile.url" not in changed.requirements.currently_due
    (previous,) = updates(client, account)
    assert previous["metadata"] == {"b": "2", "c": None}
    assert previous["business_profile"] == {"url": None}
    client.v1.accounts.update(account.id, {"metadata": {"c": "3"}})
    assert len(updates(client, account)) == 1


def test_a_payout_schedule_keeps_only_what_belongs_to_its_interval(sandbox, client):
    account = express(client, settings={"payouts": {"schedule": {"interval": "weekly", "weekly_anchor": "friday"}}})
    assert account.settings.payouts.schedule.weekly_anchor == "friday"
    schedule = {"payouts": {"schedule": {"interval": "manual", "delay_days": 7}, "statement_descriptor": "LESSONS"}}
    changed = client.v1.accounts.update(account.id, {"settings": schedule}).settings.payouts
    assert changed.schedule.to_dict() == {"delay_days": 7, "interval": "manual"}
    assert changed.statement_descriptor == "LESSONS"


def test_accounts_are_listed_newest_first_without_the_platform_itself(sandbox, client):
    first, second = express(client), express(client)
    assert [account.id for account in client.v1.accounts.list().data] == [second.id, first.id]
    page = client.v1.accounts.list({"limit": 1})
    assert [account.id for account in page.auto_paging_iter()] == [second.id, first.id]
    assert client.v1.accounts.list({"created": {"gt": second.created + 10}}).data == []


def test_a_deleted_account_leaves_a_stub_and_cannot_be_accessed(sandbox, client):
    account = express(client)
    assert client.v1.accounts.delete(account.id).to_dict() == {"id": account.id, "object": "account", "deleted": True}
    with pytest.raises(stripe.PermissionError, match="does not have access to account"):
        client.v1.accounts.retrieve(account.id)
    with pytest.raises(stripe.PermissionError):
        client.v1.customers.list(None, {"stripe_account": account.id})
    assert client.v1.accounts.list().data == []


def test_a_rejected_account_is_disabled(sandbox, client):
    account = custom(client)
    sandbox.advance(3)
    with pytest.raises(stripe.InvalidRequestError, match="must be one of fraud"):
        client.v1.accounts.reject(account.id, {"reason": "dislike"})
    rejected = client.v1.accounts.reject(account.id, {"reason": "fraud"})
    assert (rejected.charges_enabled, rejected.payouts_enabled) == (False, False)
    assert rejected.requirements.disabled_reason == "rejected.fraud"
    assert updates(client, account)[-1]["requirements"] == {"disabled_reason": None}


def test_capabilities_are_requested_and_unrequested(sandbox, client):
    account = custom(client, capabilities={"transfers": {"requested": True}})
    sandbox.advance(3)
    capabilities = client.v1.accounts.capabilities
    assert [c.id for c in capabilities.list(account.id).data] == ["transfers"]
    assert capabilities.retrieve(account.id, "card_payments").status == "unrequested"
    wanted = capabilities.update(account.id, "card_payments", {"requested": True})
    assert (wanted.status, wanted.requested, wanted.account) == ("active", True, account.id)
    assert capabilities.update(account.id, "card_payments", {"requested": False}).requested is False
    assert client.v1.accounts.retrieve(account.id).capabilities.to_dict() == {"transfers": "active"}
    with pytest.raises(stripe.InvalidRequestError, match="No such capability"):
        capabilities.retrieve(account.id, "flying")


def test_bank_accounts_are_added_made_default_and_removed(sandbox, client):
    account = express(client)
    banks = client.v1.accounts.external_accounts
    first = banks.create(account.id, bank(account_holder_name="Ada Byron"))
    assert (first.default_for_currency, first.last4, first.status) == (True, "6789", "new")
    second = banks.create(account.id, bank("000111111116") | {"metadata": {"a": "b"}})
    assert second.default_for_currency is False
    assert [b.id for b in banks.list(account.id).data] == [second.id, first.id]
    assert [b.id for b in banks.list(account.id, {"object": "card"}).data] == []
    with pytest.raises(stripe.InvalidRequestError, match="cannot delete the default external account"):
        banks.delete(account.id, first.id)
    assert banks.update(account.id, second.id, {"default_for_currency": True}).default_for_currency is True
    assert banks.retrieve(account.id, first.id).default_for_currency is False
    gone = banks.delete(account.id, first.id)
    assert (gone.deleted, gone.id) == (True, first.id)
    assert [b.id for b in client.v1.accounts.retrieve(account.id).external_accounts.data] == [second.id]
    with pytest.raises(stripe.InvalidRequestError, match="No such external account"):
        banks.retrieve(account.id, first.id)
    own = {"stripe_account": account.id}
    types = [event.type for event in client.v1.events.list({"limit": 100}, own).data][::-1]
    assert [kind for kind in types if kind.startswith("account.external_account")] == [
        "account.external_account.created",
        "account.external_account.created",
        "account.external_account.updated",
        "account.external_account.deleted",
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account_number": "12345678"}, "account_number_invalid"),
        ({"account_number": "000123456789", "routing_number": "110000001"}, "routing_number_invalid"),
        ({}, "parameter_missing"),
    ],
)
def test_invalid_bank_accounts_are_refused(sandbox, client, changes, code):
    account = express(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.accounts.external_accounts.create(account.id, {"external_account": BANK | changes})
    assert refused.value.code == code


def test_bank_account_tokens_can_be_used_instead_of_numbers(sandbox, client):
    account = express(client, external_account="btok_us_noAccount")
    assert account.external_accounts.data[0].last4 == "1116"
    with pytest.raises(stripe.InvalidRequestError, match="No such token"):
        express(client, external_account="btok_nothing")


def test_persons_belong_to_their_account(sandbox, client):
    account = custom(client, business_type="company", individual=None, company={"name": "Byron Ltd", "tax_id": "1"})
    assert (account.company.name, account.company.tax_id_provided) == ("Byron Ltd", True)
    assert "representative.first_name" in account.requirements.currently_due
    persons = client.v1.accounts.persons
    made = persons.create(account.id, PERSON | {"relationship": {"representative": True}})
    assert (made.relationship.representative, made.dob.year, made.account) == (True, 1985, account.id)
    due = client.v1.accounts.retrieve(account.id).requirements.currently_due
    assert "representative.first_name" not in due
    assert "company.phone" in due
    assert [p.id for p in persons.list(account.id, {"relationship": {"representative": True}}).data] == [made.id]
    assert persons.list(account.id, {"relationship": {"owner": True}}).data == []
    assert persons.update(account.id, made.id, {"first_name": "Augusta"}).first_name == "Augusta"
    assert persons.retrieve(account.id, made.id).first_name == "Augusta"
    assert persons.delete(account.id, made.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such person"):
        persons.retrieve(account.id, made.id)
    assert updates(client, account, "person.updated") == [{"first_name": "Ada"}]


def test_embedded_components_get_a_session(sandbox, client):
    account = express(client)
    parameters = {"account": account.id, "components": {"payouts": {"enabled": True}}}
    made = client.v1.account_sessions.create(parameters)
    assert made.client_secret.startswith("accs_secret__")
    assert (made.components.payouts.enabled, made.components.payments.enabled) == (True, False)


def test_deleting_an_account_emits_application_deauthorized(sandbox, client, receiver):
    endpoint = {"url": receiver.url, "enabled_events": ["account.application.deauthorized"], "connect": True}
    client.v1.webhook_endpoints.create(endpoint)
    account = custom(client)
    sandbox.drain()
    receiver.received.clear()
    client.v1.accounts.delete(account.id)
    sandbox.drain()
    event = next(event for event, _, _ in receiver.received if event["type"] == "account.application.deauthorized")
    assert (event["account"], event["data"]["object"]["object"]) == (account.id, "application")
    assert event["data"]["object"]["id"].startswith("ca_")
