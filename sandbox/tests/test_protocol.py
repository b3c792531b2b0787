import threading
import time

import pytest
import requests
import stripe

from sandbox.protocol.form import decode

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_indexed_and_plain_arrays_are_decoded():
    assert decode("a[0][b]=1&a[1][b]=2") == {"a": {"0": {"b": "1"}, "1": {"b": "2"}}}
    assert decode("a[][b]=1&a[][c]=x&a[][b]=2") == {"a": [{"b": "1", "c": "x"}, {"b": "2"}]}
    assert decode("e[]=x&e[]=y&m[k]=") == {"e": ["x", "y"], "m": {"k": ""}}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk_test_wrongwrongwrongwrong1234"}])
def test_a_missing_key_and_a_wrong_key_are_401_with_stripes_messages(sandbox, headers):
    answer = requests.get(f"{sandbox.url}/v1/charges", headers=headers, timeout=5)
    assert answer.status_code == 401
    expected = "sk_test_" if headers else "You did not provide an API key."
    assert expected in answer.json()["error"]["message"]
    assert "wrongwrong" not in answer.text


@pytest.mark.parametrize(
    ("path", "form", "code", "param"),
    [
        ("customers", {"nme": "Ada"}, "parameter_unknown", "nme"),
        ("customers", {"shipping[adress]": "x"}, "parameter_unknown", "shipping[adress]"),
        ("payment_intents", {"amount": "500"}, "parameter_missing", "currency"),
        ("payment_intents", {"amount": "5x", "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ("payment_intents", {"amount": "40", "currency": "usd"}, "amount_too_small", "amount"),
        ("payment_intents", {"amount": "500", "currency": "xxx"}, None, "currency"),
        ("payment_intents", {"amount": "500", "currency": ""}, None, "currency"),
        ("payment_intents", {"amount": "500", "currency": "usd", "customer": "cus_x"}, "resource_missing", "customer"),
        ("checkout/sessions", {"mode": "pay"}, None, "mode"),
        ("refunds", {"charge": "ch_x", "reason": ""}, "parameter_invalid_empty", "reason"),
    ],
)
def test_an_invalid_parameter_is_refused_with_its_name(sandbox, path, form, code, param):
    answer = sandbox.post(f"/v1/{path}", **form)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error.get("code"), error["param"]) == (
        400,
        "invalid_request_error",
        code,
        param,
    )


def test_missing_objects_and_unknown_paths_are_404(sandbox, client):
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent: 'pi_x'") as missing:
        client.v1.payment_intents.retrieve("pi_x")
    assert (missing.value.http_status, missing.value.code, missing.value.param) == (404, "resource_missing", "intent")
    assert missing.value.request_id.startswith("req_")
    assert "Unrecognized request URL (GET: /v1/foo)" in sandbox.get("/v1/foo").text


def test_lists_page_by_cursor_in_both_directions(sandbox, client):
    ids = [client.v1.customers.create({"name": str(n)}).id for n in range(5)][::-1]
    first = client.v1.customers.list({"limit": 2})
    assert ([c.id for c in first.data], first.has_more) == (ids[:2], True)
    second = client.v1.customers.list({"limit": 2, "starting_after": ids[1]})
    assert [c.id for c in second.data] == ids[2:4]
    back = client.v1.customers.list({"limit": 2, "ending_before": ids[4]})
    assert ([c.id for c in back.data], back.has_more) == (ids[2:4], True)
    assert [c.id for c in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == ids
    with pytest.raises(stripe.InvalidRequestError, match="only one"):
        client.v1.customers.list({"starting_after": ids[0], "ending_before": ids[1]})


def test_lists_filter_by_created_and_reference(sandbox, client):
    customer = client.v1.customers.create({"email": "a@example.org"})
    client.v1.customers.create({"email": "b@example.org"})
    assert [c.id for c in client.v1.customers.list({"email": "a@example.org"}).data] == [customer.id]
    assert client.v1.customers.list({"created": {"gt": customer.created + 100}}).data == []
    assert len(client.v1.customers.list({"created": {"gte": customer.created}}).data) == 2
    types = [e.type for e in client.v1.events.list({"types": ["customer.created", "x.y"]}).data]
    assert types == ["customer.created", "customer.created"]


def test_expansion_is_limited_to_four_levels(sandbox, client):
    session = sandbox.session(customer=client.v1.customers.create({"email": "a@example.org"}).id)
    sandbox.pay(session)
    sandbox.advance(3)
    found = client.v1.checkout.sessions.list({"expand": ["data.payment_intent.latest_charge.balance_transaction"]})
    assert found.data[0].payment_intent.latest_charge.balance_transaction.net == 1912
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.retrieve(session.id, {"expand": ["a.b.c.d.e"]})
    assert refused.value.code == "property_expansion_max_depth"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.checkout.sessions.retrieve(session.id, {"expand": ["flavour"]})


def test_metadata_merges_unsets_and_clears(sandbox, client):
    customer = client.v1.customers.create({"metadata": {"a": "1", "b": "2", "c": ""}})
    assert customer.metadata.to_dict() == {"a": "1", "b": "2"}
    changed = client.v1.customers.update(customer.id, {"metadata": {"a": "", "d": "4"}})
    assert changed.metadata.to_dict() == {"b": "2", "d": "4"}
    assert client.v1.customers.update(customer.id, {"metadata": ""}).metadata.to_dict() == {}


def test_a_deleted_customer_stays_readable_as_a_stub(sandbox, client):
    customer = client.v1.customers.create()
    client.v1.customers.delete(customer.id)
    assert client.v1.customers.retrieve(customer.id).deleted is True
    assert client.v1.customers.list().data == []


def test_the_account_header_accepts_the_own_account_and_refuses_unknown_ones(sandbox, client):
    own = client.v1.accounts.retrieve_current().id
    customer = client.v1.customers.create(None, {"stripe_account": own})
    assert client.v1.customers.retrieve(customer.id).id == customer.id
    with pytest.raises(stripe.PermissionError):
        client.v1.customers.list(None, {"stripe_account": "acct_1Unknown"})


def test_the_same_key_replays_and_other_parameters_are_refused(sandbox, client):
    headers = {"Idempotency-Key": "k1"}
    url = f"{sandbox.url}/v1/customers"
    first = sandbox.http.post(url, data={"name": "Ada"}, headers=headers, timeout=5)
    again = sandbox.http.post(url, data={"name": "Ada"}, headers=headers, timeout=5)
    assert first.text == again.text
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    other = sandbox.http.post(url, data={"name": "Bob"}, headers=headers, timeout=5)
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    elsewhere = sandbox.http.post(f"{sandbox.url}/v1/products", data={"name": "Ada"}, headers=headers, timeout=5)
    assert elsewhere.json()["error"]["type"] == "idempotency_error"
    assert len(client.v1.customers.list().data) == 1


def test_idempotency_keys_expire_after_a_day_of_the_clock(sandbox, client):
    client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k2"})
    sandbox.advance(24 * 3600 + 5)
    client.v1.customers.create({"name": "Bob"}, {"idempotency_key": "k2"})
    assert [c.name for c in client.v1.customers.list().data] == ["Bob", "Ada"]


def test_a_declined_attempt_is_replayed_but_an_invalid_parameter_is_not(sandbox, client):
    options = {"idempotency_key": "k3"}
    params = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_chargeDeclinedExpiredCard",
        "confirm": True,
        "payment_method_types": ["card"],
    }
    codes = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            client.v1.payment_intents.create(params, options)
        codes.append((declined.value.code, declined.value.error.charge))
    assert codes[0] == codes[1]
    assert len(client.v1.charges.list().data) == 1
    assert (
        sandbox.http.post(
            f"{sandbox.url}/v1/customers", data={"nme": "x"}, headers={"Idempotency-Key": "k4"}, timeout=5
        ).status_code
        == 400
    )
    assert client.v1.customers.create({"name": "x"}, {"idempotency_key": "k4"}).name == "x"


def test_a_key_in_flight_is_409(sandbox):
    sandbox.switch("faults", kind="hang", path="/v1/customers", seconds=0.8)
    statuses = []

    def post():
        answer = requests.post(
            f"{sandbox.url}/v1/customers", auth=sandbox.http.auth, headers={"Idempotency-Key": "k5"}, timeout=5
        )
        statuses.append((answer.status_code, answer.json().get("error", {}).get("code")))

    slow = threading.Thread(target=post)
    slow.start()
    time.sleep(0.3)
    post()
    slow.join()
    assert statuses == [(409, "idempotency_key_in_use"), (200, None)]


@pytest.mark.parametrize(("kind", "error"), [("rate_limit", stripe.RateLimitError), ("server_error", stripe.APIError)])
def test_a_fault_applies_to_the_given_number_of_calls(sandbox, client, kind, error):
    sandbox.switch("faults", kind=kind, method="post", path="/v1/customers", count=2)
    client.v1.customers.list()
    for _ in range(2):
        with pytest.raises(error):
            client.v1.customers.create()
    assert client.v1.customers.create().id


def test_after_a_dropped_reply_the_same_key_returns_the_result(sandbox, client):
    sandbox.switch("faults", kind="drop_reply", method="post", path="/v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k6"})
    again = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k6"})
    assert [c.id for c in client.v1.customers.list().data] == [again.id]


def test_chosen_ids_are_independent_for_each_account_and_kind(sandbox, client):
    other = {"stripe_account": client.v1.accounts.create({"type": "express", "country": "US"}).id}
    plan = {"id": "SUMMER", "currency": "usd", "amount": 500, "interval": "month", "product": "SUMMER"}
    for options in (None, other):
        client.v1.coupons.create({"id": "SUMMER", "percent_off": 10 if options is None else 20}, options)
        client.v1.products.create({"id": "SUMMER", "name": "Summer school"}, options)
        client.v1.plans.create(plan, options)
    client.v1.coupons.update("SUMMER", {"name": "Theirs"}, other)
    mine, theirs = client.v1.coupons.retrieve("SUMMER"), client.v1.coupons.retrieve("SUMMER", None, other)
    assert (mine.percent_off, mine.name, theirs.percent_off, theirs.name) == (10, None, 20, "Theirs")
    client.v1.coupons.delete("SUMMER")
    assert client.v1.coupons.retrieve("SUMMER", None, other).valid
    assert client.v1.products.retrieve("SUMMER").object == "product"
    with pytest.raises(stripe.InvalidRequestError) as taken:
        client.v1.products.create({"id": "SUMMER", "name": "Again"})
    assert taken.value.code == "resource_already_exists"


def test_embedded_items_are_paged_in_both_directions(sandbox, client):
    price = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Ink"}}
    session = sandbox.session(line_items=[{"price_data": price, "quantity": n} for n in (1, 2, 3, 4)])
    items = client.v1.checkout.sessions.line_items
    first = items.list(session.id, {"limit": 2})
    assert ([item.quantity for item in first.data], first.has_more) == ([1, 2], True)
    assert [item.quantity for item in first.auto_paging_iter()] == [1, 2, 3, 4]
    before = items.list(session.id, {"limit": 2, "ending_before": items.list(session.id).data[3].id})
    assert ([item.quantity for item in before.data], before.has_more) == ([2, 3], True)
    with pytest.raises(stripe.InvalidRequestError, match="only one"):
        items.list(session.id, {"starting_after": first.data[0].id, "ending_before": first.data[1].id})
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        items.list(session.id, {"ending_before": "li_nothing"})


def test_a_cursor_must_be_an_object_of_that_kind_and_account(sandbox, client):
    account = client.v1.accounts.create({"type": "express", "country": "US"}).id
    theirs = client.v1.customers.create(None, {"stripe_account": account})
    product = client.v1.products.create({"name": "Ink"})
    for cursor in ("cus_nothing", theirs.id, product.id):
        for name in ("starting_after", "ending_before"):
            with pytest.raises(stripe.InvalidRequestError) as refused:
                client.v1.customers.list({name: cursor})
            assert (refused.value.code, refused.value.param) == ("resource_missing", name)


def test_auto_paging_backwards_returns_each_object_once(sandbox, client):
    ids = [client.v1.customers.create({"name": str(n)}).id for n in range(5)][::-1]
    newer = client.v1.customers.list({"limit": 2, "ending_before": ids[-1]})
    assert [customer.id for customer in newer.auto_paging_iter()] == ids[:-1][::-1]


def test_an_idempotency_key_belongs_to_an_account_and_applies_only_to_posts(sandbox, client):
    account = client.v1.accounts.create({"type": "express", "country": "US"}).id
    key = {"idempotency_key": "shared"}
    mine = client.v1.customers.create({"name": "Ada"}, key)
    theirs = client.v1.customers.create({"name": "Ada"}, key | {"stripe_account": account})
    assert mine.id != theirs.id
    url = f"{sandbox.url}/v1/customers/{mine.id}"
    for method in ("GET", "DELETE"):
        answer = sandbox.http.request(method, url, headers={"Idempotency-Key": "shared"}, timeout=5)
        assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (200, False)


def test_an_error_for_a_wrong_state_is_replayed_but_a_missing_object_is_not(sandbox, client):
    paid = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "payment_method_types": ["card"],
    }
    intent = client.v1.payment_intents.create(paid)
    for replayed in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.cancel(intent.id, None, {"idempotency_key": "state"})
        assert refused.value.headers.get("Idempotent-Replayed") == replayed
    coupon = {"percent_off": 10, "id": "LATER"}
    url = f"{sandbox.url}/v1/coupons/LATER"
    parameters = {"data": {"name": "x"}, "headers": {"Idempotency-Key": "later"}, "timeout": 5}
    assert sandbox.http.post(url, **parameters).status_code == 404
    client.v1.coupons.create(coupon)
    assert sandbox.http.post(url, **parameters).status_code == 200


def test_the_order_of_parameters_does_not_matter_for_idempotency(sandbox):
    answers = [
        sandbox.http.post(
            f"{sandbox.url}/v1/customers", data=body, headers={"Idempotency-Key": "order"} | FORM, timeout=5
        ).text
        for body in ("name=Ada&metadata[a]=1&metadata[b]=2", "metadata[b]=2&metadata[a]=1&name=Ada")
    ]
    assert answers[0] == answers[1]


def test_a_rate_limit_has_its_reason_in_a_header(sandbox):
    sandbox.switch("faults", kind="rate_limit", path="/v1/customers", count=1)
    answer = sandbox.get("/v1/customers")
    assert (answer.status_code, answer.headers["Stripe-Rate-Limited-Reason"]) == (429, "global-rate")
    assert "Stripe-Rate-Limited-Reason" not in sandbox.get("/v1/customers/cus_none").headers


def test_a_key_used_for_another_path_is_refused_naming_this_path_first(sandbox):
    key = {"Idempotency-Key": "k1"}
    sandbox.http.post(f"{sandbox.url}/v1/customers", headers=key, timeout=10)
    refused = sandbox.http.post(f"{sandbox.url}/v1/products", data={"name": "Clay"}, headers=key, timeout=10)
    assert "first used for ('/v1/products' vs '/v1/customers')" in refused.json()["error"]["message"]


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_the_param_of_a_missing_customer_in_the_path_is_id(sandbox, method):
    answer = getattr(sandbox.http, method)(f"{sandbox.url}/v1/customers/cus_none", timeout=10)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "resource_missing", "id")


@pytest.mark.parametrize(
    "path",
    [
        "payment_methods", "subscriptions", "invoices", "invoiceitems", "charges", "payment_intents", "setup_intents",
        "checkout/sessions", "promotion_codes",
    ],
)  # fmt: skip
def test_lists_of_an_unknown_customer_are_refused(sandbox, path):
    answer = sandbox.get(f"/v1/{path}", customer="cus_nope")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "resource_missing", "customer")
    assert error["message"] == "No such customer: 'cus_nope'"


@pytest.mark.parametrize(("param", "label"), [("charge", "charge"), ("payment_intent", "payment_intent")])
def test_refunding_an_unknown_object_is_404(sandbox, param, label):
    answer = sandbox.post("/v1/refunds", **{param: "x_none"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "resource_missing", param)
    assert error["message"] == f"No such {label}: 'x_none'"
