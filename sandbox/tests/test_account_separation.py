import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import stripe

from sandbox.tests.connected import charge, enabled, express, of, types


def test_objects_belong_to_the_account_they_were_created_for(sandbox, client):
    account = express(client)
    own = client.v1.customers.create({"email": "own@example.org"})
    theirs = client.v1.customers.create({"email": "theirs@example.org"}, of(account))
    with pytest.raises(stripe.InvalidRequestError, match=f"No such customer: '{theirs.id}'"):
        client.v1.customers.retrieve(theirs.id)
    with pytest.raises(stripe.InvalidRequestError, match=f"No such customer: '{own.id}'"):
        client.v1.customers.retrieve(own.id, None, of(account))
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.payment_intents.create({"amount": 500, "currency": "usd", "customer": own.id}, of(account))
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.customers.delete(theirs.id)
    assert [c.id for c in client.v1.customers.list().data] == [own.id]
    assert [c.id for c in client.v1.customers.list(None, of(account)).data] == [theirs.id]
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.customers.list({"starting_after": theirs.id})


def test_an_account_has_access_only_to_itself(sandbox, client):
    account, other = express(client), express(client)
    assert client.v1.accounts.retrieve_current(None, of(account)).id == account.id
    assert client.v1.accounts.retrieve(account.id, None, of(account)).id == account.id
    with pytest.raises(stripe.PermissionError) as refused:
        client.v1.accounts.retrieve(other.id, None, of(account))
    assert refused.value.error.code == "account_invalid"
    expected = f"does not have access to account '{other.id}' (or that account does not exist)."
    assert expected in refused.value.user_message
    assert client.v1.accounts.list(None, of(account)).data == []
    with pytest.raises(stripe.InvalidRequestError, match="signed up for Connect"):
        client.v1.accounts.create({"type": "express"}, of(account))
    with pytest.raises(stripe.PermissionError):
        client.v1.accounts.retrieve("acct_1Nobody")


def test_the_same_idempotency_key_is_independent_on_another_account(sandbox, client):
    account = express(client)
    parameters = {"email": "a@example.org"}
    here = client.v1.customers.create(parameters, {"idempotency_key": "k"})
    there = client.v1.customers.create({"email": "b@example.org"}, {"idempotency_key": "k", **of(account)})
    assert here.id != there.id
    assert client.v1.customers.create(parameters, {"idempotency_key": "k"}).id == here.id
    assert (
        client.v1.customers.create({"email": "b@example.org"}, {"idempotency_key": "k", **of(account)}).id == there.id
    )


def test_each_account_has_its_own_balance_and_events(sandbox, client):
    account = enabled(sandbox, client)
    charge(client, 2000)
    charge(client, 5000, options=of(account))
    assert client.v1.balance.retrieve().available[0].amount == 1912
    assert client.v1.balance.retrieve(None, of(account)).available[0].amount == 4825
    assert "connect_reserved" not in client.v1.balance.retrieve(None, of(account))
    assert types(client).count("charge.succeeded") == types(client, account).count("charge.succeeded") == 1
    event = client.v1.events.list({"type": "charge.succeeded"}, of(account)).data[0]
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        client.v1.events.retrieve(event.id)
    assert client.v1.events.retrieve(event.id, None, of(account)).account == account.id


@pytest.fixture
def listener():
    """An endpoint with its own URL, and the events it received."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", received
    server.shutdown()
    server.server_close()


def listen(client, url, options=None, **changes):
    return client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["customer.created"], **changes}, options)


def test_events_of_connected_accounts_go_to_connect_endpoints_only(sandbox, client, listener):
    url, received = listener
    account = express(client)
    plain, connect = listen(client, f"{url}plain"), listen(client, f"{url}connect", connect=True)
    of_account = listen(client, f"{url}account", of(account))
    here = client.v1.customers.create()
    there = client.v1.customers.create(None, of(account))
    sandbox.drain()
    deliveries = sandbox.http.get(f"{sandbox.url}/_sandbox/deliveries").json()["deliveries"]
    reached = {
        (d["event"], d["endpoint"]) for d in deliveries if d["endpoint"] in (plain.id, connect.id, of_account.id)
    }
    by_customer = {event["data"]["object"]["id"]: event for event in received}
    assert reached == {
        (by_customer[here.id]["id"], plain.id),
        (by_customer[there.id]["id"], connect.id),
        (by_customer[there.id]["id"], of_account.id),
    }
    assert (by_customer[there.id]["account"], "account" in by_customer[here.id]) == (account.id, False)
    assert [endpoint.id for endpoint in client.v1.webhook_endpoints.list(None, of(account)).data] == [of_account.id]


def test_an_event_of_a_connected_account_can_be_sent_again(sandbox, client, listener):
    url, received = listener
    account = express(client)
    listen(client, url, connect=True)
    client.v1.customers.create(None, of(account))
    sandbox.drain()
    sandbox.switch(f"events/{received[0]['id']}/resend")
    sandbox.drain()
    assert [event["id"] for event in received] == [received[0]["id"]] * 2


def test_a_session_of_a_connected_account_is_paid_on_its_page(sandbox, client):
    account = enabled(sandbox, client)
    price = {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "Lesson"}}
    parameters = {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "success_url": "http://shop.example/done",
        "payment_intent_data": {"application_fee_amount": 200},
    }
    session = client.v1.checkout.sessions.create(parameters, of(account))
    path = session.url.removeprefix(sandbox.url).partition("#")[0]
    assert "Lesson" in sandbox.get(path).text
    paid = sandbox.post(
        path,
        email="a@example.org",
        cardNumber="4242424242424242",
        cardExpiry="12/34",
        cardCvc="123",
        billingName="Ada",
        billingCountry="US",
    )
    assert paid.headers["Location"] == "http://shop.example/done"
    sandbox.advance(3)
    assert client.v1.checkout.sessions.retrieve(session.id, None, of(account)).payment_status == "paid"
    assert client.v1.application_fees.list().data[0].amount == 200
    assert types(client, account)[-1] == "charge.updated"
