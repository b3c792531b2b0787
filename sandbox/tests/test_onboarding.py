import pytest
import stripe

from sandbox.tests.connected import bank, custom, express
from sandbox.tests.test_accounts import updates

LINK = {
    "type": "account_onboarding",
    "refresh_url": "http://shop.example/again",
    "return_url": "http://shop.example/back",
}


def link(client, account, **changes):
    return client.v1.account_links.create(LINK | {"account": account.id} | changes)


def open_form(sandbox, client, account):
    """The path of the form that a new link opens."""
    answer = sandbox.get(link(client, account).url.removeprefix(sandbox.url))
    assert answer.status_code == 303
    return answer.headers["Location"]


def types_of(client, account):
    own = {"stripe_account": account.id}
    return [event.type for event in client.v1.events.list({"limit": 100}, own).data][::-1]


def test_a_link_works_once_and_then_redirects_to_the_refresh_url(sandbox, client):
    account = express(client)
    made = link(client, account)
    assert made.expires_at == made.created + 300
    path = made.url.removeprefix(sandbox.url)
    assert path.startswith(f"/setup/e/{account.id}/")
    assert "Tell us about the business" in sandbox.get(sandbox.get(path).headers["Location"]).text
    assert sandbox.get(path).headers["Location"] == LINK["refresh_url"]


def test_a_link_expires_after_five_minutes(sandbox, client):
    path = link(client, express(client)).url.removeprefix(sandbox.url)
    sandbox.advance(301)
    assert sandbox.get(path).headers["Location"] == LINK["refresh_url"]
    assert sandbox.get(path + "x").status_code == 404


def test_a_submitted_form_enables_the_account_seconds_later(sandbox, client):
    account = express(client)
    form = open_form(sandbox, client, account)
    sent = sandbox.post(form, outcome="submit", first_name="Ada", last_name="Byron", account_number="000123456789")
    assert sent.headers["Location"] == LINK["return_url"]
    submitted = client.v1.accounts.retrieve(account.id)
    assert (submitted.details_submitted, submitted.charges_enabled) == (True, False)
    assert (submitted.requirements.currently_due, submitted.business_type) == ([], "individual")
    assert submitted.external_accounts.data[0].last4 == "6789"
    sandbox.advance(3)
    enabled = client.v1.accounts.retrieve(account.id)
    assert (enabled.charges_enabled, enabled.payouts_enabled) == (True, True)
    assert enabled.capabilities.transfers == "active"
    assert types_of(client, account) == [
        "person.created",
        "account.external_account.created",
        "capability.updated",
        "account.updated",
        "person.updated",
        "capability.updated",
        "account.updated",
    ]
    first, second = updates(client, account)
    assert first["details_submitted"] is False
    assert first["requirements"]["currently_due"]
    assert (second["charges_enabled"], second["payouts_enabled"]) == (False, False)


def test_events_of_an_account_have_its_id_and_are_sent_to_the_platform(sandbox, client, receiver):
    account = express(client)
    sandbox.post(open_form(sandbox, client, account), outcome="submit")
    sandbox.advance(3)
    updates = [event for event, _, _ in receiver.received if event["type"] == "account.updated"]
    assert [event["account"] for event in updates] == [account.id, account.id]


def test_an_account_under_review_stays_disabled(sandbox, client):
    account = express(client)
    sandbox.post(open_form(sandbox, client, account), outcome="review")
    sandbox.advance(3600)
    waiting = client.v1.accounts.retrieve(account.id)
    assert (waiting.details_submitted, waiting.charges_enabled) == (True, False)
    assert waiting.requirements.disabled_reason == "requirements.pending_verification"
    assert waiting.capabilities.transfers == "pending"


def test_further_requirements_are_met_by_another_form(sandbox, client):
    account = express(client)
    sandbox.post(open_form(sandbox, client, account), outcome="require_more", business_type="company")
    sandbox.advance(60)
    current = client.v1.accounts.retrieve(account.id)
    assert current.requirements.past_due == current.requirements.currently_due == ["company.verification.document"]
    assert (current.requirements.disabled_reason, current.charges_enabled) == ("requirements.past_due", False)
    sandbox.post(open_form(sandbox, client, account), outcome="submit")
    sandbox.advance(3)
    assert client.v1.accounts.retrieve(account.id).charges_enabled is True


def test_leaving_the_form_changes_nothing_and_redirects_to_the_return_url(sandbox, client):
    account = express(client)
    form = open_form(sandbox, client, account)
    assert sandbox.post(form, outcome="leave").headers["Location"] == LINK["return_url"]
    assert client.v1.accounts.retrieve(account.id).details_submitted is False


def test_after_a_link_the_platform_cannot_read_the_individual(sandbox, client):
    account = express(client, business_type="individual", individual={"first_name": "Ada"})
    assert account.individual.first_name == "Ada"
    link(client, account)
    assert "individual" not in client.v1.accounts.retrieve(account.id)


def test_account_update_links_need_an_account_without_a_stripe_dashboard(sandbox, client):
    with pytest.raises(stripe.InvalidRequestError, match="You cannot create `account_update` type"):
        link(client, express(client), type="account_update")
    assert link(client, custom(client), type="account_update").url
    with pytest.raises(stripe.InvalidRequestError, match="No such account: 'acct_none'"):
        client.v1.account_links.create(LINK | {"account": "acct_none"})
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: return_url"):
        client.v1.account_links.create(
            {"account": custom(client).id, "type": "account_onboarding", "refresh_url": "http://a.b"}
        )


def test_a_login_link_needs_an_onboarded_express_account(sandbox, client):
    account = express(client)
    with pytest.raises(stripe.InvalidRequestError, match="has not completed onboarding"):
        client.v1.accounts.login_links.create(account.id)
    sandbox.post(open_form(sandbox, client, account), outcome="submit")
    page = client.v1.accounts.login_links.create(account.id).url.removeprefix(sandbox.url)
    assert "No payouts yet" in sandbox.get(page).text
    with pytest.raises(stripe.InvalidRequestError, match="Express Dashboard"):
        client.v1.accounts.login_links.create(custom(client).id)


def test_a_form_with_an_unknown_choice_is_refused(sandbox, client):
    account = express(client, **bank())
    assert sandbox.post(open_form(sandbox, client, account), outcome="cheat").status_code == 400
    assert sandbox.get(f"/setup/s/{account.id}/nothing").status_code == 404
