"""Hostile input: refused with an error in Stripe's format, or stored and shown as plain text; nothing fails."""

import base64
import http.client
import json
from html import unescape
from random import Random
from urllib.parse import urlencode, urlsplit

import pytest

from sandbox.tests.connected import enabled
from sandbox.tests.dashboard_browser import Page
from sandbox.tests.random_forms import Forms
from sandbox.tests.recorded import answer_problems
from sandbox.tests.route_table import all_routes
from sandbox.tests.sandbox_process import KEY

FORM = "application/x-www-form-urlencoded"
CUSTOMERS = "/v1/customers"
SCRIPT = "<script>alert(1)</script>"
BREAKOUT = "\"'><img src=x onerror=alert(1)>"
SQL = "'; DROP TABLE sandbox_storedobject; --"
TEMPLATE = "{{ 7|add:7 }}{% now 'Y' %}%s%(x)s${x}"
ODD_TEXTS = (SCRIPT, BREAKOUT, SQL, TEMPLATE, "\u202eabc\u200b\ufeff\U0001f4a9\x07\x1b[2J", "=cmd|' /C calc'!A0")
HOSTILE = SCRIPT + BREAKOUT + SQL + TEMPLATE


@pytest.fixture
def ask(sandbox):
    """Send a raw request; returns the status, the error and the headers. Fails if a response is not in Stripe's format."""

    def send(method="POST", path=CUSTOMERS, body=None, **headers):
        sent = {"Authorization": f"Bearer {KEY}", "Content-Type": FORM}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=30)
        try:
            sendable = {name: value for name, value in sent.items() if value is not None}
            connection.request(method, path, body, sendable)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if method != "HEAD":
            assert not answer_problems(answer.status, text), text
        return answer.status, json.loads(text or "{}").get("error", {}), answer.headers

    return send


@pytest.mark.parametrize(
    "body",
    [
        "name=%ED%A0%80",
        "name=%FF",
        b"name=\xff\xfe",
        "name=\N{SNOWMAN}".encode("utf-16"),
        "name=%00",
        "na%00me=x",
        "a" + "[b]" * 5000 + "=1",
        "metadata" + "[b]" * 17 + "=1",
        "&".join(f"k{n}=1" for n in range(5000)),
        "&".join(f"metadata[k{n}]=1" for n in range(51)),
        "name=1&name[a]=2",
        "name[]=1&name[a]=2",
        "name[=x",
        "name]a[=x",
        "[name]=x",
        "[]=x",
        "=x",
        "metadata=x",
        "metadata[]=1",
        "metadata[a][b]=1",
        "address=x",
        "name[0]=x",
        "expand[\N{SUPERSCRIPT TWO}]=x".encode(),
        "expand=x",
        "preferred_locales[99999999999999999999]=de",
        "__proto__[x]=1",
    ],
)
def test_a_malformed_form_is_refused(ask, body):
    status, error, _ = ask(body=body)
    assert (status, error["type"]) == (400, "invalid_request_error")


def test_unusual_but_valid_forms_are_read(ask):
    for body in ("", "&&&", "name=%ZZ%", "name=a=b&", "metadata[a[b=1".replace("a[b", "ab]"), "name=+%2B+"):
        assert ask(body=body)[0] == 200, body


def test_a_body_beyond_the_limit_is_413_and_the_client_receives_the_response(ask):
    status, error, _ = ask(body="name=" + "x" * 5_000_000)
    assert (status, error["type"]) == (413, "invalid_request_error")
    upload = ask(path="/v1/files", body="x" * 18_000_000, Content_Type="multipart/form-data; boundary=x")
    assert upload[0] == 413
    assert ask(body="name=x")[0] == 200


def test_a_body_without_a_length_is_refused(ask):
    assert ask(body=iter([b"name=x"]), Transfer_Encoding="chunked")[0] == 411


@pytest.mark.parametrize("number", ["1e400", "-1", "NaN", "inf", "-inf", "9" * 30, "9" * 4900, "0", "1.5", "0x10",
                                    "1_000", "\N{ARABIC-INDIC DIGIT FIVE}00", " 500", "5 00", "+-5", "--5"])  # fmt: skip
def test_an_invalid_number_is_refused(ask, number):
    for field, form in (
        ("amount", {"currency": "usd", "amount": number}),
        ("percent_off", {"duration": "once", "percent_off": number}),
    ):
        path = "/v1/payment_intents" if field == "amount" else "/v1/coupons"
        status, error, _ = ask(path=path, body=urlencode(form))
        if status == 200:
            assert field == "percent_off"
            assert 0 < float(number) <= 100
        else:
            assert (status, error["param"]) == (400, field)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=", "limit=1&limit[a]=2",
                                   "created=x", "created[gte]=" + "9" * 30, "created[foo]=1", "created[gte][a]=1",
                                   "starting_after=%00", "starting_after=%27%20OR%201=1", "ending_before[]=a",
                                   "expand[]=a..b", "expand[]=.", "expand[]=data." + "a." * 50, "email=%FF"])  # fmt: skip
def test_a_malformed_query_is_refused(ask, query):
    assert ask("GET", f"{CUSTOMERS}?{query}")[0] == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "HEAD", "FOO", "DELETE"])
def test_an_unknown_method_is_404(ask, method):
    assert ask(method)[0] == 404


@pytest.mark.parametrize("path", ["/v1/", "/v1//customers", "/v1/customers/cus_a/b", "/v1/customers/..%2f..%2faccount",
                                  "/v1/customers/%00", "/v1/customers/%0a", "/v1/customers/%FF", "/v1/%0a",
                                  "/v1/customers/" + "x" * 4000, "/v1/customers/%27%20OR%201=1", "/v1/nothing",
                                  "/v1/customers/cus_%2F..%2F", "/v1/charges/" + "%2e%2e/" * 20])  # fmt: skip
def test_an_unknown_path_is_404(ask, path):
    assert ask("GET", path)[0] == 404


@pytest.mark.parametrize("kind", ["application/json", "text/xml", "multipart/form-data", "application/octet-stream",
                                  "multipart/form-data; boundary=x", "text/plain; charset=utf-7"])  # fmt: skip
def test_another_content_type_is_refused_with_a_hint(ask, kind):
    status, error, _ = ask(body='{"name": "x"}', Content_Type=kind)
    assert status == 400
    assert FORM in error["message"]


@pytest.mark.parametrize("kind", [None, "", ";;;", f"{FORM}; charset=utf-16", f"{FORM}; charset=nothing"])
def test_without_a_known_content_type_the_body_is_a_form_in_utf8(ask, kind):
    assert ask(body="name=%C3%BC", Content_Type=kind)[0] == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic !!!!",
        b"Basic \xfc\xfc",
        "Basic " + base64.b64encode(b"\xff\xfe:").decode(),
        "Basic " + base64.b64encode(b":" + KEY.encode()).decode(),
        "Digest username=x",
        b"Bearer \xff\xfe",
        "Bearer " + "x" * 5000,
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"{KEY}",
        "Bearer sk_live_" + "x" * 24,
    ],
)
def test_a_wrong_authorization_is_401_and_reveals_no_key(ask, header):
    status, error, headers = ask("GET", Authorization=header)
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="Stripe"')
    assert KEY not in error["message"]


def test_the_authorization_scheme_ignores_case(ask):
    for scheme in ("Basic", "basic", "BASIC"):
        assert ask("GET", Authorization=f"{scheme} " + base64.b64encode(f"{KEY}:".encode()).decode())[0] == 200
    for scheme in ("bearer", "BEARER"):
        assert ask("GET", Authorization=f"{scheme} {KEY}")[0] == 200


@pytest.mark.parametrize("account", ["acct_nothing", "x", "' OR 1=1", "../", "x" * 4000, b"\xff"])
def test_an_unknown_account_is_403(ask, account):
    status, error, _ = ask("GET", Stripe_Account=account)
    assert (status, error["code"]) == (403, "account_invalid")


@pytest.mark.parametrize("version", ["x", "2000-01-01", "' OR 1=1", b"\xff", "2026-08-26.dahlia; x", "x" * 3000])
def test_an_unknown_version_is_refused(ask, version):
    assert ask("GET", Stripe_Version=version)[0] == 400


@pytest.mark.parametrize(
    "key", ["x" * 255, b"\xfc\xff", "a b\tc", SCRIPT, SQL, "../../etc", "%00", "\U0001f4a9".encode()]
)
def test_an_unusual_idempotency_key_works(ask, key):
    first, again = (ask(body="name=x", Idempotency_Key=key) for _ in range(2))
    assert (first[0], again[0], again[2]["Idempotent-Replayed"]) == (200, 200, "true")
    other, error, _ = ask(body="name=y", Idempotency_Key=key)
    assert (other, error["type"]) == (400, "idempotency_error")


def test_an_idempotency_key_of_256_characters_is_refused_and_an_empty_one_ignored(ask):
    assert ask(body="name=x", Idempotency_Key="x" * 256)[0] == 400
    assert "Idempotent-Replayed" not in ask(body="name=x", Idempotency_Key="")[2]


def test_every_text_parameter_accepts_hostile_text(sandbox):
    """Each text parameter of each call gets one of the odd texts, with ids of existing objects."""
    random = Random(7)
    ids = one_of_each(sandbox, "x")
    forms = Forms(random, ids)
    for route in all_routes():
        for name in sorted(texts_of(route["accepts"])):
            address = forms.address(route["path"])
            pairs = [*required_of(route["accepts"]), (name, random.choice(ODD_TEXTS))]
            sent = {"params": pairs} if route["method"] != "POST" else {"data": pairs}
            answer = sandbox.http.request(route["method"], sandbox.url + address, timeout=30, **sent)
            wrong = answer_problems(answer.status_code, answer.text)
            assert not wrong, f"{route['method']} {address} {pairs}: {wrong}"


def test_every_page_shows_hostile_texts_as_text(sandbox):
    """Follows all links within the sandbox from the dashboard's overview and all hosted pages."""
    ids = one_of_each(sandbox, HOSTILE)
    sandbox.drain()
    ahead = ["/", *hosted_pages(sandbox), *(f"/objects/{one}" for found in ids.values() for one in found)]
    seen, shown = set(ahead), 0
    while ahead:
        path = ahead.pop()
        answer = sandbox.get(path)
        assert answer.status_code < 500, (path, answer.text[:500])
        if answer.status_code != 200 or "text/html" not in answer.headers.get("Content-Type", ""):
            continue
        page = Page(answer)
        assert SCRIPT not in answer.text, path
        assert BREAKOUT not in answer.text, path
        assert page.scripts == 0, path
        assert "2026%s" not in answer.text
        shown += SCRIPT in unescape(answer.text)
        for link in page.links:
            target = urlsplit(link)
            inner = target.path + (f"?{target.query}" if target.query else "")
            if (
                f"{target.scheme}://{target.netloc}" in ("://", sandbox.url)
                and inner.startswith("/")
                and inner not in seen
            ):
                if len(seen) < 400 and not inner.startswith("/static"):
                    ahead.append(inner)
                seen.add(inner)
    assert shown > 20


def texts_of(spec, path="", depth=0):
    """The names of all text parameters of a call, such as `a[b][0]`."""
    kind = spec["kind"]
    if kind == "Hash" and depth < 5:
        for name, inner in spec["fields"].items():
            yield from texts_of(inner, f"{path}[{name}]" if path else name, depth + 1)
    elif kind == "Either":
        yield from texts_of(spec["hash"], path, depth)
        yield from texts_of(spec["plain"], path, depth)
    elif kind == "OneOf":
        for inner in spec["specs"]:
            yield from texts_of(inner, path, depth)
    elif kind in ("ListOf", "MapOf"):
        yield from texts_of(spec["item"], f"{path}[{'0' if kind == 'ListOf' else 'usd'}]", depth + 1)
    elif kind == "Metadata":
        yield f"{path}[a]"
        yield f"{path}[{SCRIPT[:30]}]"
    elif kind == "Text" and not spec.get("choices"):
        yield path


def required_of(spec, path=""):
    """A value for each required parameter of a call."""
    for name in spec.get("required", ()):
        inner, named = spec["fields"][name], f"{path}[{name}]" if path else name
        if inner["kind"] == "Hash":
            yield from required_of(inner, named)
        else:
            plain = {"Currency": "usd", "Integer": "500", "Boolean": "true", "Moment": "1900000000", "Number": "10"}
            yield named, inner["choices"][0] if inner.get("choices") else plain.get(inner["kind"], "x")


def hosted_pages(sandbox):
    """The paths of all pages for customers, buyers and account holders."""
    v1 = sandbox.client.v1
    found = [session.url for session in v1.checkout.sessions.list({"limit": 100}).data]
    found += [invoice.hosted_invoice_url for invoice in v1.invoices.list({"limit": 100}).data]
    found += [charge.receipt_url for charge in v1.charges.list({"limit": 100}).data]
    customer = v1.customers.list({"limit": 100}).data[-1].id
    v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    found.append(v1.billing_portal.sessions.create({"customer": customer}).url)
    account = v1.accounts.list().data[0].id
    link = {
        "account": account,
        "type": "account_onboarding",
        "refresh_url": "http://a.example/",
        "return_url": "http://a.example/",
    }
    found.append(v1.account_links.create(link).url)
    intents = v1.payment_intents.list({"limit": 100}).data
    paths = [urlsplit(url).path for url in found if url]
    return paths + [f"/3ds/{intent.id}" for intent in intents]


def one_of_each(sandbox, text):
    """Create one object of each kind, with `text` in every text field; returns the ids by kind."""
    v1, short = sandbox.client.v1, text[:30]
    notes = {"metadata": {short.replace("[", "(").replace("]", ")")[:40]: text}}
    address = {"city": text, "line1": text, "line2": text, "postal_code": short, "state": text, "country": "US"}
    customer = v1.customers.create(
        {
            "name": text[:250],
            "description": text,
            "phone": short[:20],
            "email": "a@example.org",
            "address": address,
            "shipping": {"name": text, "address": address},
            "invoice_settings": {"footer": text, "custom_fields": [{"name": short, "value": short}]},
            **notes,
        }
    )
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    v1.payment_methods.update(card.id, {"billing_details": {"name": text, "address": address}, **notes})
    v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    product = v1.products.create({"name": text[:250], "description": text, "unit_label": short[:12], **notes})
    once = {"currency": "usd", "unit_amount": 1500, "product": product.id, "nickname": text, **notes}
    price = v1.prices.create(once)
    monthly = v1.prices.create(once | {"recurring": {"interval": "month"}})
    coupon = v1.coupons.create({"percent_off": 10, "duration": "once", "name": text[:40], **notes})
    code = v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, **notes})
    tax = v1.tax_rates.create(
        {
            "display_name": text[:50],
            "percentage": 10,
            "inclusive": False,
            "description": text,
            "jurisdiction": text[:50],
        }
        | notes
    )
    shipping = v1.shipping_rates.create(
        {
            "display_name": text[:100],
            "type": "fixed_amount",
            "fixed_amount": {"amount": 500, "currency": "usd"},
            **notes,
        }
    )
    shop = {
        "mode": "payment",
        "line_items": [{"price": price.id, "quantity": 1}],
        "success_url": "http://shop.example/?" + text,
        "client_reference_id": text[:200],
        "custom_text": {"submit": {"message": text}},
        **notes,
    }
    v1.checkout.sessions.create(shop | {"customer": customer.id, "discounts": [{"promotion_code": code.id}]})
    paid = v1.checkout.sessions.create(shop | {"payment_intent_data": {"description": text, **notes}})
    sandbox.pay(paid)
    dollars = {"amount": 2000, "currency": "usd", "description": text, **notes}
    by_card = {"confirm": True, "payment_method_types": ["card"]}
    now = by_card | {"capture_method": "automatic"}
    intent = v1.payment_intents.create(dollars | now | {"amount": 50_000, "payment_method": "pm_card_bypassPending"})
    v1.payment_intents.create(dollars | by_card | {"payment_method": "pm_card_threeDSecure2Required"})
    v1.payment_intents.create(dollars | now | {"payment_method": "pm_card_createDispute"})
    v1.refunds.create({"payment_intent": intent.id, "amount": 100, **notes})
    v1.setup_intents.create({"customer": customer.id, "description": text, **notes})
    v1.invoice_items.create({"customer": customer.id, "amount": 700, "currency": "usd", "description": text, **notes})
    form = {"customer": customer.id, "description": text, "footer": text, "pending_invoice_items_behavior": "include"}
    invoice = v1.invoices.create(form | {"custom_fields": [{"name": short, "value": short}], **notes})
    v1.invoices.finalize_invoice(invoice.id)
    v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": monthly.id}], "description": text[:500], **notes}
    )
    sandbox.advance(10)
    dispute = v1.disputes.list().data[0]
    evidence = {"uncategorized_text": text, "customer_name": text, "product_description": text, "billing_address": text}
    v1.disputes.update(dispute.id, {"evidence": evidence, "submit": False, **notes})
    account = enabled(
        sandbox, sandbox.client, business_profile={"name": text, "mcc": "8299", "url": "https://a.example"}, **notes
    )
    v1.accounts.create({"type": "express", "country": "US", **notes})
    transfer = v1.transfers.create(
        {
            "amount": 400,
            "currency": "usd",
            "destination": account.id,
            "description": text,
            "transfer_group": text,
            **notes,
        }
    )
    v1.transfers.reversals.create(transfer.id, {"amount": 100, "description": text, **notes})
    payout = {"amount": 100, "currency": "usd", "description": text, **notes}
    v1.payouts.create(payout, {"stripe_account": account.id})
    v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:1/" + short, "enabled_events": ["topup.created"], "description": text, **notes}
    )
    clock = v1.test_helpers.test_clocks.create({"frozen_time": 1900000000, "name": text[:300]})
    ids = {"tax_rate": [tax.id], "shipping_rate": [shipping.id], "test_helpers.test_clock": [clock.id]}
    ids |= {"account": [account.id], "coupon": [coupon.id], "payment_method": [card.id]}
    for kind in ("customers", "products", "prices", "promotion_codes", "payment_intents", "charges", "refunds", "disputes",
                 "setup_intents", "invoices", "invoice_items", "subscriptions", "transfers", "events", "balance_transactions",
                 "webhook_endpoints"):  # fmt: skip
        objects = getattr(v1, kind).list({"limit": 100}).data
        ids.setdefault(objects[0].object, []).extend(one.id for one in objects)
    ids["checkout.session"] = [paid.id]
    return ids
