"""Every error below /api/ is problem details, from a view, a middleware, or Django itself."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection
from django.test import Client

import payments.api.problems
from accounts.tests.factories import UserFactory
from api import problems
from api.problems import Problem
from integrations import endpoints, idempotency
from payments.api import views

pytestmark = pytest.mark.django_db
COMMISSION = "/api/payments/test-commission"
VERIFY = "/api/payments/verify-status/cs_test_1"


def quiet(**options):
    return Client(raise_request_exception=False, **options)


def signed_in(**options):
    client = quiet(**options)
    client.force_login(UserFactory())
    return client


REFUSED = {
    "a missing address": (lambda: quiet().get("/api/nothing"), 404, "not-found"),
    "NUL in the path": (lambda: quiet().get("/api/%00"), 404, "not-found"),
    "a guest": (lambda: quiet().get(VERIFY), 401, "not-signed-in"),
    "a method": (lambda: quiet().post(COMMISSION), 405, "method-not-allowed"),
    "an unusual method": (lambda: quiet().generic("PROPFIND", COMMISSION), 405, "method-not-allowed"),
    "no token": (lambda: signed_in(enforce_csrf_checks=True).post(COMMISSION), 403, "forbidden"),
    "XML wanted": (lambda: quiet().get(COMMISSION, headers={"accept": "text/xml"}), 406, "not-acceptable"),
    "a bad query": (lambda: quiet().get(COMMISSION, {"amount": "x"}), 400, "invalid"),
    "another host": (lambda: quiet().get(COMMISSION, headers={"host": "evil.example"}), 400, "unreadable"),
    "a huge body": (lambda: quiet().generic("POST", COMMISSION, CONTENT_LENGTH=str(10**9)), 413, "too-large"),
    "too many fields": (
        lambda: signed_in().post(COMMISSION, {f"f{n}": "" for n in range(1001)}),
        405,
        "method-not-allowed",
    ),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_a_refusal_is_problem_details(refused):
    send, status, name = REFUSED[refused]
    answer = send()
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["type"] == f"urn:lectern:problem:{name}"
    assert all(body[name] for name in ("title", "detail", "next_step"))
    assert body["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("error", "status", "name"), [(RuntimeError("password=1234"), 500, "failed"), (OperationalError(), 503, "busy")]
)
def test_a_failure_is_problem_details_and_gives_nothing_away(monkeypatch, error, status, name):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(views, "split_by_rate", fail)
    answer = quiet().get(COMMISSION, {"amount": "100"})
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:lectern:problem:{name}")
    assert "1234" not in answer.content.decode()
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_guest_who_asks_too_often_waits_and_others_do_not():
    for _ in range(60):
        assert quiet(REMOTE_ADDR="192.0.2.1").get(COMMISSION, {"amount": "1"}).status_code == 200
    answer = quiet(REMOTE_ADDR="192.0.2.1").get(COMMISSION, {"amount": "1"})
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:lectern:problem:too-many-requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert quiet(REMOTE_ADDR="192.0.2.2").get(COMMISSION, {"amount": "1"}).status_code == 200


def test_a_guest_cannot_pass_as_another_by_a_header():
    for number in range(60):
        quiet().get(COMMISSION, {"amount": "1"}, headers={"x-forwarded-for": f"198.51.100.{number}"})
    assert quiet().get(COMMISSION, {"amount": "1"}, headers={"x-forwarded-for": "203.0.113.1"}).status_code == 429


def test_behind_a_proxy_guests_are_told_apart(settings):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    for number in range(61):
        sent = {"x-forwarded-for": f"1.1.1.1, 198.51.100.{number}"}
        assert quiet().get(COMMISSION, {"amount": "1"}, headers=sent).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_are_all_counted():
    def ask(_number):
        try:
            return quiet(REMOTE_ADDR="192.0.2.3").get(COMMISSION, {"amount": "1"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(ask, range(100)))
    assert (statuses.count(200), statuses.count(429)) == (60, 40)


@pytest.mark.parametrize("count_of_proxies", [0, 1])
def test_the_addresses_of_one_home_network_count_as_one_guest(settings, count_of_proxies):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": count_of_proxies}

    def ask(address):
        sent = (
            {"REMOTE_ADDR": "192.0.2.4", "HTTP_X_FORWARDED_FOR": address}
            if count_of_proxies
            else {"REMOTE_ADDR": address}
        )
        return quiet(**sent).get(COMMISSION, {"amount": "1"}).status_code

    assert {ask(f"2001:db8:1:2::{number:x}") for number in range(60)} == {200}
    assert ask("2001:db8:1:2:ffff::1") == 429
    assert ask("2001:db8:1:3::1") == 200


@pytest.mark.parametrize("sent", ["198.51.100.7:{}", "[2001:db8::{}]:443", "{}" + "x" * 300])
def test_no_spelling_of_an_address_escapes_the_limit(settings, sent):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    statuses = [
        quiet().get(COMMISSION, {"amount": "1"}, headers={"x-forwarded-for": sent.format(number)}).status_code
        for number in range(1000, 1061)
    ]
    assert statuses == [200] * 60 + [429]


def test_pages_keep_their_own_errors():
    assert b"<!doctype html>" in quiet().get("/nothing/").content
    assert "text/html" in quiet().get("/nothing/").headers["Content-Type"]


def test_every_kind_of_error_has_a_name_of_its_own():
    modules = (problems, endpoints, idempotency, payments.api.problems)
    kinds = {each for module in modules for each in vars(module).values() if isinstance(each, Problem)}
    assert len({kind.type for kind in kinds}) == len(kinds) > 25


def test_the_document_is_served_and_names_each_endpoint_once():
    document = Client().get("/api/schema/", headers={"accept": "application/json"}).json()
    assert document["openapi"].startswith("3.1")
    named = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(named)) == len(named)
    views = [path for path in document["paths"] if path.startswith("/api/payments/")]
    assert {COMMISSION, "/api/payments/balance", "/api/payments/verify-status/{session_id}"} <= set(views)
    assert all(path.startswith(("/api/v1/", "/api/payments/")) for path in document["paths"])


def test_the_document_is_drawn_without_a_warning(capsys):
    assert Client().get("/api/schema/").status_code == 200
    assert "Warning" not in capsys.readouterr().err


def test_the_document_is_throttled_too():
    # Requests that are counted, but do not write the document: sixty of those may take longer than the minute.
    assert {Client().post("/api/schema/", headers={"accept": "application/json"}).status_code for _ in range(60)} == {
        405
    }
    assert Client().get("/api/schema/", headers={"accept": "application/json"}).status_code == 429


@pytest.mark.parametrize(
    "asked", ["version=%0d%0aSet-Cookie:a=b", "version=%22;x=%22", "version=9", "lang=../../x", "lang=%00"]
)
def test_the_document_is_the_same_whatever_is_asked_of_it(asked):
    plain = quiet().get("/api/schema/")
    answer = quiet().get(f"/api/schema/?{asked}")
    assert (answer.status_code, answer.content) == (200, plain.content)
    assert answer.headers["Content-Disposition"] == plain.headers["Content-Disposition"]
