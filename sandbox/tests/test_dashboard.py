import json
import re
import subprocess
import sys

import pytest
import requests
import stripe

from sandbox.tests.dashboard_browser import Browser, Page
from sandbox.tests.pages import post_page
from sandbox.tests.sandbox_process import ROOT, environment

SCRIPT = "<script>alert('x')</script>"
MENU = ["/", "/dashboard/controls", "/dashboard/deliveries", "/dashboard/requests", "/dashboard/everything"]
SLUGS = (
    "payments charges refunds disputes checkouts customers subscriptions invoices products prices coupons "
    "promotion-codes movements payouts accounts transfers application-fees events endpoints test-clocks setups"
)
LISTS = [f"/dashboard/{slug}" for slug in SLUGS.split()]


@pytest.fixture
def browser(sandbox):
    return Browser(sandbox.url)


def paid(client, **changes):
    parameters = {
        "amount": 2000,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "payment_method_types": ["card"],
    }
    return client.v1.payment_intents.create(parameters | changes)


@pytest.mark.parametrize("path", [*MENU, *LISTS])
def test_every_page_of_the_menu_shows_an_empty_sandbox(browser, path):
    page = browser.open(path)
    assert "Nothing here is real" in page.text
    assert len(page.ids) == len(set(page.ids))


def test_the_overview_links_to_every_page_of_the_menu(browser):
    links = browser.open("/").links
    unlisted = {"/dashboard/charges", "/dashboard/setups"}
    assert set(MENU + LISTS) - unlisted <= set(links)


def test_text_of_objects_is_escaped_on_every_page(sandbox, client, browser):
    hostile = {"description": SCRIPT, "metadata": {SCRIPT[:30]: SCRIPT}}
    customer = client.v1.customers.create(
        {"name": SCRIPT, "email": '"><img src=x onerror=alert(1)>@x.example', **hostile}
    )
    intent = paid(client, customer=customer.id, **hostile)
    product = client.v1.products.create({"name": SCRIPT, "description": SCRIPT})
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 100, "metadata": {"a": SCRIPT}})
    client.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:1/?" + SCRIPT, "enabled_events": ["charge.expired"], "description": SCRIPT}
    )
    sandbox.get("/v1/charges/" + SCRIPT)
    sandbox.drain()
    first = browser.open("/dashboard/events").links
    paths = [*MENU, *LISTS, f"/objects/{customer.id}", f"/objects/{intent.id}", f"/objects/{product.id}"]
    paths += [link for link in first if link.startswith("/objects/")]
    paths += [link for link in browser.open("/dashboard/requests").links if "/requests/" in link]
    paths += [link for link in browser.open("/dashboard/deliveries").links if re.search(r"/deliveries/\d+$", link)]
    paths += [
        "/dashboard/payments?q=" + SCRIPT,
        "/dashboard/customers?status=" + SCRIPT,
        "/dashboard/events?type=" + SCRIPT,
    ]
    for path in paths:
        page = browser.open(path)
        assert page.scripts == 0, path
        assert "script-src" not in page.answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in page.answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/objects/none",
        "/objects/%00",
        "/objects/a%0Ab",
        "/objects/../../etc/passwd",
        "/objects/" + "a" * 3000,
        "/objects/%27%20OR%201=1--",
        "/dashboard/no-such-kind",
        "/dashboard/requests/req_none",
        "/?request=req_none",
        "/?request=%0A%2F..",
        "/dashboard/deliveries/99999999999999999999999",
        "/dashboard/deliveries/0",
        "/dashboard/payments?after=-1",
        "/dashboard/payments?after=99999999999999999999999999",
        "/dashboard/payments?before=x",
        "/dashboard/payments?account=acct_none",
        "/dashboard/requests?after=req_none",
        "/receipts/ch_none",
        "/static/../settings.py",
    ],
)
def test_an_unknown_url_is_a_404(browser, path):
    answer = requests.get(browser.url + path, timeout=10)
    assert answer.status_code == 404


def test_payments_are_filtered_and_searched(sandbox, client, browser):
    ada = client.v1.customers.create({"name": "Ada Lovelace", "email": "ada@example.org"})
    hers = paid(client, customer=ada.id, amount=123456, description="Engines")
    refunded, yen = paid(client), paid(client, currency="jpy", amount=1234)
    client.v1.refunds.create({"payment_intent": refunded.id})
    open_one = client.v1.payment_intents.create({"amount": 900, "currency": "gbp"})
    sandbox.drain()

    def shown(query):
        links = browser.open("/dashboard/payments?" + query).links
        return {link.removeprefix("/objects/") for link in links if link.startswith("/objects/pi_")}

    everything = {hers.id, refunded.id, yen.id, open_one.id}
    assert shown("") == everything
    assert shown("status=succeeded") == everything - {open_one.id}
    assert shown("status=refunded") == {refunded.id}
    assert shown("status=requires_payment_method") == {open_one.id}
    for query in (ada.id, "ada@", "Lovelace", "engines", "1,234.56", "1234.56", "$1234.56", hers.id, hers.id[:14]):
        assert shown("q=" + query) == {hers.id}, query
    assert shown("q=1234") == {yen.id}
    assert shown("q=9") == {open_one.id}
    assert shown("q=" + "9" * 300) == set()
    found = browser.http.get(f"{browser.url}/dashboard/find?q={ada.id}", timeout=10)
    assert found.url.endswith(f"/objects/{ada.id}")
    assert f"/objects/{hers.id}" in Page(browser.http.get(f"{browser.url}/dashboard/find?q=1234.56", timeout=10)).links


def test_lists_are_paged_forward_and_back(sandbox, client, browser):
    made = [client.v1.customers.create({"name": f"Customer {number}"}).id for number in range(60)][::-1]

    def ids(page):
        return [link.removeprefix("/objects/") for link in page.links if link.startswith("/objects/cus_")]

    def turn(page, where):
        link = re.search(rf'rel="{where}" href="([^"]+)"', page.text)
        return browser.open("/dashboard/customers" + link[1].replace("&amp;", "&")) if link else None

    first = browser.open("/dashboard/customers")
    second = turn(first, "next")
    third = turn(second, "next")
    assert ids(first) + ids(second) + ids(third) == made
    assert turn(third, "next") is None
    assert ids(turn(third, "prev")) == ids(second)
    assert ids(turn(turn(third, "prev"), "prev")) == ids(first)
    assert turn(first, "prev") is None


def test_a_payments_page_shows_its_objects_and_events(sandbox, client, browser):
    intent = paid(client)
    sandbox.advance(3)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    sandbox.advance(3)
    page = browser.open(f"/objects/{intent.id}")
    charge = client.v1.charges.retrieve(intent.latest_charge, {"expand": ["balance_transaction"]})
    for link in (intent.latest_charge, charge.balance_transaction.id):
        assert f"/objects/{link}" in page.links
    story = re.findall(r">([a-z_]+\.[a-z_.]+)</a>", page.text)
    assert story == [
        "charge.refund.updated", "refund.updated", "charge.refunded", "refund.created", "charge.updated",
        "payment_intent.succeeded", "charge.succeeded", "payment_intent.created",
    ]  # fmt: skip
    assert "partially refunded" in page.text
    assert "$0.88" in page.text
    assert "amount_refunded" in page.text


def test_the_overview_shows_balances_payments_failures_and_the_clock(sandbox, receiver, client, browser):
    paid(client)
    paid(client, currency="jpy", amount=5000, payment_method="pm_card_bypassPending")
    sandbox.advance(3600)
    receiver.answers[:] = [500]
    client.v1.customers.create()
    sandbox.drain()
    page = browser.open("/")
    assert "$19.12" in page.text
    assert "¥" in page.text
    assert "1 hour ahead" in page.text
    assert "Deliveries that failed" in page.text


def test_the_request_log_url_shows_the_failed_request(sandbox, client, browser):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.list({"limit": 1000})
    answer = sandbox.post("/v1/customers", colour="blue")
    log_url = answer.json()["error"]["request_log_url"]
    assert log_url.startswith(sandbox.url + "/?request=req_")
    page = Page(browser.http.get(log_url, timeout=10))
    assert "POST /v1/customers" in page.text
    assert "blue" in page.text
    assert "parameter_unknown" in page.text
    page = browser.open(f"/dashboard/requests/{refused.value.request_id}")
    assert "GET /v1/charges" in page.text
    failed = browser.open("/dashboard/requests?status=failed")
    assert failed.text.count("/dashboard/requests/req_") == 2
    assert browser.open("/dashboard/requests?q=colour").text.count("/dashboard/requests/req_") == 1


def test_events_are_filtered_by_type_and_link_to_their_request(sandbox, client, browser):
    customer = client.v1.customers.create()
    paid(client)
    page = browser.open("/dashboard/events?type=customer.created")
    events = [link for link in page.links if link.startswith("/objects/evt_")]
    assert len(events) == 1
    event = browser.open(events[0])
    assert f"/objects/{customer.id}" in event.links
    request = next(link for link in event.links if "/requests/req_" in link)
    assert "POST /v1/customers" in browser.open(request).text


def test_lists_can_be_viewed_as_a_connected_account(sandbox, client, browser):
    account = client.v1.accounts.create({"type": "express", "country": "US", "email": "t@example.org"})
    theirs = client.v1.customers.create({"name": "Theirs"}, {"stripe_account": account.id})
    assert "Theirs" not in browser.open("/dashboard/customers").text
    page = browser.open(f"/dashboard/customers?account={account.id}")
    assert "Theirs" in page.text
    assert f"/dashboard/payments?account={account.id}" in page.links
    assert f"/objects/{account.id}" in browser.open(f"/objects/{theirs.id}").links
    assert f"/objects/{account.id}" in browser.open("/dashboard/accounts").links


def test_the_number_of_queries_does_not_depend_on_the_number_of_objects(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "sandbox.tests.dashboard_at_size", "30", "120"],
        cwd=ROOT,
        env=environment(SANDBOX_DATABASE=str(tmp_path / "size.sqlite3")),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    few, many = (json.loads(line)["queries"] for line in ran.stdout.splitlines())
    assert few == many
    assert max(few.values()) <= 12


@pytest.mark.parametrize("path", ["/dashboard/payments", "/dashboard/charges", "/dashboard/checkouts", "/"])
def test_lists_show_the_guests_email(sandbox, browser, path):
    assert post_page(sandbox, sandbox.session(), email="guest@example.org").status_code == 303
    assert "guest@example.org" in browser.open(path).text


def test_a_guests_payment_is_found_by_email(sandbox, browser):
    session = sandbox.session()
    post_page(sandbox, session, email="guest@example.org")
    intent = sandbox.intent_of(session).id
    assert intent in browser.open("/dashboard/payments?q=guest@example").text
    assert intent not in browser.open("/dashboard/payments?q=other@example").text
