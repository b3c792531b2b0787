"""The webhook endpoint, also with forged requests and wrong clocks."""

import hmac
import json
import random
import time
import typing
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO

import pytest
import stripe
import structlog
from django.db import OperationalError, connection, connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from notifications.models import Alert
from payments.models import WebhookEvent
from payments.tests.factories import event_of
from payments.webhook import endpoint

pytestmark = pytest.mark.django_db
SECRET = "whsec_sandbox0000000000000000000000000"


def sign(body, *, secret=SECRET, at=None):
    timestamp = int(at if at is not None else time.time())
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def deliver(event, *, header=None, path="/payments/webhook/", client=None, is_secure=False):
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return (client or Client()).post(
        path,
        data=body,
        content_type="application/json",
        secure=is_secure,
        headers={"Stripe-Signature": sign(body) if header is None else header},
    )


def every_event_type():
    """All types stripe-python knows, read from its own annotation."""
    return sorted(set(typing.get_args(typing.get_type_hints(stripe.Event)["type"])))


def new_event(**changes):
    return event_of("customer.created", {"id": "cus_1", "object": "customer"}, **changes)


def test_a_signed_event_is_stored_and_acknowledged():
    event = new_event()
    response = deliver(event)
    assert (response.status_code, response.json()) == (200, {"status": "received"})
    stored = WebhookEvent.objects.get(stripe_id=event["id"])
    assert stored.payload == event
    assert stored.state == "waiting"


@pytest.mark.parametrize("path", ["/payments/webhook", "/api/webhooks/stripe", "/api/webhooks/stripe/"])
def test_its_other_addresses_answer_as_it_does_in_one_statement(path):
    deliver(new_event())
    event = new_event()
    with CaptureQueriesContext(connection) as queries:
        response = deliver(event, path=path)
    assert (response.status_code, response.json(), len(queries)) == (200, {"status": "received"}, 1)
    assert deliver(event).json() == {"status": "already_processed"}
    assert deliver(event, path=path, header="t=1,v1=x").json() == {"error": "Invalid signature"}


def test_a_webhook_without_https_is_refused_in_production(settings):
    settings.WEBHOOKS_NEED_HTTPS = True
    assert deliver(new_event()).status_code == 403
    assert not WebhookEvent.objects.exists()
    assert deliver(new_event(), is_secure=True).status_code == 200


def test_forwarded_https_counts_only_behind_a_trusted_proxy(settings):
    settings.WEBHOOKS_NEED_HTTPS = True
    proxied = Client(HTTP_X_FORWARDED_PROTO="https")
    assert deliver(new_event(), client=proxied).status_code == 403
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert deliver(new_event(), client=proxied).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "a b", ""])
def test_a_webhook_for_a_host_that_is_not_ours_is_refused(host):
    assert deliver(new_event(), client=Client(HTTP_HOST=host)).status_code == 400
    assert not WebhookEvent.objects.exists()


def test_every_type_stripe_lists_and_one_it_does_not_is_stored_and_acknowledged():
    types = [*every_event_type(), "invented.by.nobody_yet"]
    for event_type in types:
        assert deliver(event_of(event_type, {"id": "x", "object": "something"})).status_code == 200, event_type
    assert set(WebhookEvent.objects.values_list("type", flat=True)) == set(types)
    assert not Alert.objects.exists()


def test_a_repeat_answers_already_processed_and_stores_nothing():
    event = new_event()
    deliver(event)
    response = deliver(event)
    assert (response.status_code, response.json()) == (200, {"status": "already_processed"})
    assert WebhookEvent.objects.count() == 1


def test_acknowledging_takes_one_statement():
    event = new_event()
    with CaptureQueriesContext(connection) as queries:
        deliver(event)
    assert len(queries) == 1


def test_get_is_not_allowed():
    assert Client().get("/payments/webhook/").status_code == 405


@pytest.mark.parametrize("position", range(0, 200, 7))
def test_a_changed_byte_anywhere_is_refused_and_leaves_no_row(position):
    body = json.dumps(new_event()).encode()
    changed = bytearray(body)
    changed[position] ^= 1
    response = deliver(bytes(changed), header=sign(body))
    assert response.status_code == 400
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        "t=1",
        "v1=abc",
        "t=abc,v1=abc",
        "t=-5,v1=abc",
        "t=１２３,v1=abc".encode().decode("latin-1"),
        "t=99999999999999999999,v1=abc",
        "t=1,t=2,v1=abc",
        "t=1," + ",".join(["v1=abc"] * 50),
        "garbage",
        "\x00",
    ],
)
def test_a_malformed_signature_header_is_refused(header):
    assert deliver(new_event(), header=header).status_code == 400
    assert not WebhookEvent.objects.exists()


def test_the_wrong_secret_is_refused():
    body = json.dumps(new_event()).encode()
    response = deliver(body, header=sign(body, secret="whsec_other"))
    assert (response.status_code, response.json()) == (400, {"error": "Invalid signature"})


@pytest.mark.parametrize(("offset", "status"), [(-301, 400), (-299, 200), (299, 200), (302, 400)])
def test_the_timestamp_counts_five_minutes_both_ways(offset, status):
    body = json.dumps(new_event()).encode()
    assert deliver(body, header=sign(body, at=time.time() + offset)).status_code == status
    assert WebhookEvent.objects.exists() == (status == 200)


def test_a_time_in_the_future_alerts_staff_because_a_clock_is_wrong():
    body = json.dumps(new_event()).encode()
    deliver(body, header=sign(body, at=time.time() + 400))
    assert Alert.objects.filter(key="webhook-clock").exists()


def test_while_a_secret_is_rolled_both_work_then_only_the_new_one(settings):
    body = json.dumps(new_event()).encode()
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]
    assert deliver(body, header=sign(body, secret="whsec_old")).status_code == 200
    assert deliver(body, header=sign(body, secret="whsec_new")).status_code == 200
    both = sign(body, secret="whsec_gone") + "," + sign(body, secret="whsec_new").partition(",")[2]
    assert deliver(body, header=both).status_code == 200
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new"]
    assert deliver(body, header=sign(body, secret="whsec_old")).status_code == 400


def test_a_live_event_on_a_test_site_is_refused_with_an_alert():
    assert deliver(new_event(livemode=True)).status_code == 400
    assert not WebhookEvent.objects.exists()
    assert Alert.objects.filter(key="webhook-refused:mode").exists()


def test_a_test_event_on_a_live_site_is_refused_with_an_alert(settings):
    settings.STRIPE_LIVE_MODE = True
    assert deliver(new_event()).status_code == 400
    assert not WebhookEvent.objects.exists()
    assert Alert.objects.filter(key="webhook-refused:mode").exists()
    assert deliver(new_event(livemode=True)).status_code == 200


@pytest.mark.parametrize("ours", ["", "acct_ours"])
@pytest.mark.parametrize("account", ["acct_other", "acct_ours2", 5, ["acct_ours"], {"id": "acct_ours"}, True])
def test_another_accounts_event_is_refused_with_an_alert(settings, ours, account):
    settings.STRIPE_ACCOUNT_ID = ours
    assert deliver(new_event(account=account)).status_code == 400
    assert not WebhookEvent.objects.exists()
    assert Alert.objects.filter(key="webhook-refused:account").exists()


@pytest.mark.parametrize("account", ["acct_ours", None])
def test_our_own_accounts_event_is_accepted(settings, account):
    settings.STRIPE_ACCOUNT_ID = "acct_ours"
    assert deliver(new_event(account=account)).status_code == 200


class Unread(BytesIO):
    """A body that must not be read."""

    def read(self, *_):
        pytest.fail("read")

    readline = read


@pytest.mark.parametrize("announced", [endpoint.BODY_BYTES_AT_MOST + 1, 10**12])
def test_a_huge_body_is_refused_by_its_announced_length_before_it_is_read(announced):
    request = RequestFactory().post("/payments/webhook/", **{"wsgi.input": Unread(), "CONTENT_LENGTH": str(announced)})
    assert endpoint.receive_event(request).status_code == 413


def test_a_body_longer_than_it_announced_is_read_no_further_than_the_cap():
    request = RequestFactory().post("/payments/webhook/", CONTENT_LENGTH="1")
    request._stream = BytesIO(b"x" * (endpoint.BODY_BYTES_AT_MOST + 100))
    assert endpoint.receive_event(request).status_code == 413
    assert request._stream.tell() == endpoint.BODY_BYTES_AT_MOST + 1


@pytest.mark.parametrize("announced", ["", "-5", "many", "1e3", "\u0663"])
def test_a_body_without_a_usable_length_is_refused(announced):
    body = json.dumps(new_event()).encode()
    request = RequestFactory().post(
        "/payments/webhook/",
        headers={"Stripe-Signature": sign(body)},
        **{"wsgi.input": BytesIO(body), "CONTENT_LENGTH": announced},
    )
    assert endpoint.receive_event(request).status_code == 400


def test_the_largest_body_allowed_is_accepted():
    event = event_of("a.b", {"id": "x", "note": ""})
    event["data"]["object"]["note"] = "x" * (endpoint.BODY_BYTES_AT_MOST - len(json.dumps(event)))
    assert deliver(event).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"42",
        b'"text"',
        b"{",
        b"\xff\xfe\x00",
        json.dumps(new_event()).encode("utf-16"),
        b"\xef\xbb\xbf" + json.dumps(new_event()).encode(),
        json.dumps(new_event(note="\u00fc"), ensure_ascii=False).encode("latin-1"),
        b"\x00" * 100,
        b'{"id": 5}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
        json.dumps([new_event()]).encode(),
        json.dumps(new_event(object="charge")).encode(),
        json.dumps(new_event(id="evt_\x00")).encode(),
        json.dumps(new_event(id="x" * 101)).encode(),
        json.dumps(new_event(type="")).encode(),
        json.dumps(new_event(data=[])).encode(),
        json.dumps(new_event(data={"object": "x"})).encode(),
        json.dumps(new_event(livemode="false")).encode(),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(body):
    assert deliver(body).status_code == 400
    assert not WebhookEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "hostile",
    [
        '"a\\u0000b"',
        '"\\ud83d"',
        '"\\ude00\\ud83d"',
        "NaN",
        "-Infinity",
        "1e400000",
        '{"a\\u0000b": 1}',
        # Stored by PostgreSQL, but Python cannot load it again.
        "1e5000",
        "-1.5E+4400",
        "1e309",
        "[" * 960 + "]" * 960,
        '{"a":' * 900 + "1" + "}" * 900,
        "[" * 61 + "{}" + "]" * 61,
    ],
    ids=lambda hostile: hostile[:20],
)
def test_json_that_the_database_cannot_store_is_refused_for_good(hostile):
    body = json.dumps(event_of("a.b", {"id": "x", "note": "HERE"})).replace('"HERE"', hostile).encode()
    assert deliver(body).status_code == 400
    assert not WebhookEvent.objects.exists()
    assert Alert.objects.filter(key__in=["webhook-refused:unstorable", "webhook-refused:json"]).exists()


@pytest.mark.parametrize(
    "odd",
    ["9" * 4300, "1e308", "1e-5000", "-0.0", "[" * 60 + "{}" + "]" * 60, '{"a": 1, "a": 2}'],
    ids=lambda odd: odd[:20],
)
def test_what_is_stored_can_be_loaded_again_as_it_was_read(odd):
    body = json.dumps(event_of("a.b", {"id": "x", "note": "HERE"})).replace('"HERE"', odd).encode()
    assert deliver(body).status_code == 200
    # As floats: jsonb expands 1e308 into digits, which Python then reads as an integer.
    loaded = json.loads(json.dumps(WebhookEvent.objects.get().payload), parse_int=float)
    assert loaded == json.loads(body, parse_int=float)


def test_a_text_that_only_looks_like_nul_is_stored():
    event = event_of("a.b", {"id": "x", "note": r"a\u0000b"})
    assert deliver(event).status_code == 200
    assert WebhookEvent.objects.get().payload == event


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-16", "text/plain; charset=none", "", "a" * 999]
)
def test_what_the_body_claims_to_be_does_not_matter(content_type):
    body = json.dumps(new_event(note="\u00fc"), ensure_ascii=False).encode()
    # Not `post`, which would encode the body itself.
    response = Client().generic(
        "POST", "/payments/webhook/", body, content_type, headers={"Stripe-Signature": sign(body)}
    )
    assert response.status_code == 200


def test_random_bodies_never_crash_and_leave_no_row():
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    pieces = [
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b":",
        b",",
        b"\\u",
        b"\xc3",
        b"\x00",
        b"id",
        b"evt_1",
        b"1e999",
        b"null",
        b"data",
    ]
    whole = json.dumps(new_event()).encode()
    for _ in range(300):
        # Cut before the last text begins: what is appended could otherwise end it and make another event.
        start = chance.randrange(whole.rindex(b'"type"'))
        broken = whole[:start] + b"".join(chance.choices(pieces, k=chance.randint(1, 20)))
        assert deliver(broken).status_code == 400, f"seed {seed}: {broken}"
    assert not WebhookEvent.objects.exists()


def test_a_database_that_does_not_answer_is_503_never_a_false_200(monkeypatch):
    def fail(*_, **__):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(endpoint, "store_event", fail)
    assert deliver(new_event()).status_code == 503


def test_no_secret_or_personal_data_reaches_the_log(caplog):
    event = event_of("customer.created", {"id": "cus_1", "email": "canary@example.org"})
    deliver(event, header="t=1,v1=canary_signature")
    deliver(event)
    assert "canary" not in caplog.text
    assert SECRET not in caplog.text


def test_each_webhook_logs_one_line_with_an_id_of_its_own(written_lines):
    event = new_event()
    first = deliver(event, client=Client(HTTP_X_REQUEST_ID="first-request"))
    Client().get("/nowhere/", headers={"X-Request-Id": "another-request"})
    second = deliver(event)
    deliver(event, header="t=1,v1=x")
    lines = [line for line in written_lines() if line["logger"].startswith("payments.")]
    assert [line["event"] for line in lines] == ["webhook_received", "webhook_received", "webhook_signature_invalid"]
    assert [(line["event_id"], line["event_type"], line["is_new"]) for line in lines[:2]] == [
        (event["id"], "customer.created", True),
        (event["id"], "customer.created", False),
    ]
    assert lines[0]["request_id"] == first["X-Request-Id"] == "first-request"
    assert lines[1]["request_id"] == second["X-Request-Id"]
    assert len({line["request_id"] for line in lines} | {"another-request"}) == 4


def test_nothing_of_a_request_is_left_in_the_context_of_its_thread():
    deliver(new_event())
    assert structlog.contextvars.get_contextvars() == {}
    Client().get("/")
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.django_db(transaction=True)
def test_one_event_delivered_by_twenty_at_once_is_stored_once():
    event = new_event()

    def one(_):
        try:
            return deliver(event).json()["status"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(20)))
    assert sorted(answers) == ["already_processed"] * 19 + ["received"]
    assert WebhookEvent.objects.count() == 1
