"""Pages of other sites call the API only if the operator names them, and never with this site's cookies."""

import pytest
from django.test import Client

from accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db
NAMED, ADDRESS = "https://school.example", "/api/payments/create-checkout-session"


@pytest.fixture(autouse=True)
def named(settings):
    settings.CORS_ALLOWED_ORIGINS = [NAMED]


def preflight(origin, address=ADDRESS):
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,idempotency-key",
    }
    return Client().options(address, headers=headers)


def test_a_named_site_may_send_tokens_and_keys():
    answer = preflight(NAMED)
    assert answer.headers["Access-Control-Allow-Origin"] == NAMED
    assert {"authorization", "idempotency-key"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in answer.headers
    read = Client().get("/api/v1/subjects", headers={"origin": NAMED})
    assert read.headers["Access-Control-Allow-Origin"] == NAMED
    assert "ratelimit" in read.headers["Access-Control-Expose-Headers"]
    assert "origin" in read.headers["Vary"].lower()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://school.example.evil.example", "http://school.example", "null", "*", ""]
)
def test_no_other_site_may(origin):
    assert "Access-Control-Allow-Origin" not in preflight(origin).headers
    read = Client().get("/api/v1/subjects", headers={"origin": origin})
    assert "Access-Control-Allow-Origin" not in read.headers


@pytest.mark.parametrize("address", ["/", "/cart/", "/my/tokens/", "/accounts/login/", "/admin/"])
def test_pages_are_never_shared(address):
    client = Client()
    client.force_login(UserFactory())
    assert "Access-Control-Allow-Origin" not in client.get(address, headers={"origin": NAMED}).headers
