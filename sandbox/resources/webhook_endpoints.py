"""Webhook endpoints (docs: "The Webhook Endpoint object")."""

from typing import Any
from urllib.parse import urlsplit

from sandbox import clock, identifiers, store
from sandbox.options import RefusesToStart, options
from sandbox.protocol import errors
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.versions import answering_version
from sandbox.store import Body

ENDPOINT = register(Resource("webhook_endpoint", label="webhook endpoint"))
ROTATION_SECONDS = 24 * 3600
URL_LENGTH = 2048


def create_endpoint(*, url: str, enabled_events: list[str], secret: str, **fields: Any) -> Body:
    """Create an endpoint. Its `secret` is returned only by the call that creates it."""
    return store.insert(
        {
            "id": identifiers.new_id("we_1", 23),
            "object": "webhook_endpoint",
            "api_version": None,
            "application": None,
            "created": clock.now(),
            "description": None,
            "enabled_events": enabled_events,
            "livemode": False,
            "metadata": {},
            "status": "enabled",
            "url": url,
            "_secrets": [{"value": secret, "expires_at": None}],
            **fields,
        }
    )


def ensure_configured_endpoint() -> None:
    """Create or update the endpoint of SANDBOX_WEBHOOK_URL, with the current secret and types of the environment.

    Raises RefusesToStart for an event type that Stripe does not have.
    """
    url, secret = options().webhook_url, options().webhook_secret
    if not url:
        return
    enabled_events = _configured_events()
    secrets = [{"value": secret or identifiers.new_id("whsec_", 32), "expires_at": None}]
    for endpoint in store.rows("webhook_endpoint").filter(body___configured=True).values_list("body", flat=True):
        store.save(endpoint | {"url": url, "enabled_events": enabled_events, "_secrets": secrets})
        return
    create_endpoint(url=url, enabled_events=enabled_events, secret=secrets[0]["value"] or "", _configured=True)


def _configured_events() -> list[str]:
    wanted = published("WebhookEndpointCreateParams", "enabled_events")["enabled_events"]
    try:
        names: list[str] = wanted.read(list(options().webhook_events), "enabled_events")
        _check_events(names)
    except ApiError as error:
        # The rest of the message lists every event type.
        raise RefusesToStart(f"SANDBOX_WEBHOOK_EVENTS: {error.message[:120]} …") from error
    return names


def rotate_secret(endpoint: Body, *, keep_seconds: int = ROTATION_SECONDS) -> str:
    """Set and return a new signing secret; the old one also signs for `keep_seconds`."""
    for secret in endpoint["_secrets"]:
        secret["expires_at"] = secret["expires_at"] or clock.now() + keep_seconds
    fresh = identifiers.new_id("whsec_", 32)
    endpoint["_secrets"].insert(0, {"value": fresh, "expires_at": None})
    store.save(endpoint)
    return fresh


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ApiError("Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid",
                       param="url")  # fmt: skip


def _check_events(names: list[str]) -> None:
    if not names:
        raise errors.empty_parameter("enabled_events")
    if "*" in names and len(names) > 1:
        raise ApiError(
            "Invalid enabled_events: `*` stands for every event and must be the only one.", param="enabled_events"
        )


@route(
    "POST",
    "/v1/webhook_endpoints",
    published(
        "WebhookEndpointCreateParams",
        "api_version",
        "connect",
        "enabled_events",
        "metadata",
        description=Text(max_length=5000, clearable=True),
        url=Text(max_length=URL_LENGTH),
    ),
)
def create(call: Call) -> Body:
    _check_url(call["url"])
    _check_events(call["enabled_events"])
    secret = identifiers.new_id("whsec_", 32)
    endpoint = create_endpoint(
        url=call["url"],
        enabled_events=call["enabled_events"],
        secret=secret,
        api_version=answering_version(call["api_version"]) if call.get("api_version") else None,
        description=call.get("description"),
        metadata=merge_metadata({}, call.get("metadata")),
        _connect=call.get("connect", False),
    )
    return endpoint | {"secret": secret}


@route(
    "GET",
    "/v1/webhook_endpoints",
    published("WebhookEndpointListParams", "ending_before", "limit", "starting_after"),
)
def list_endpoints(call: Call) -> Body:
    return page(ENDPOINT, call, url="/v1/webhook_endpoints")


@route("GET", "/v1/webhook_endpoints/:id", published("WebhookEndpointRetrieveParams"))
def retrieve(call: Call) -> Body:
    return _existing(call)


def _existing(call: Call) -> Body:
    endpoint = fetch_from_url(ENDPOINT, call.ids["id"])
    if endpoint.get("deleted"):
        raise ApiError(f"No such webhook endpoint: '{call.ids['id']}'", status=404, code="resource_missing", param="id")
    return endpoint


@route(
    "POST",
    "/v1/webhook_endpoints/:id",
    published(
        "WebhookEndpointUpdateParams",
        "disabled",
        "enabled_events",
        "metadata",
        description=Text(max_length=5000, clearable=True),
        url=Text(max_length=URL_LENGTH),
    ),
)
def update(call: Call) -> Body:
    endpoint = _existing(call)
    if "url" in call.params:
        _check_url(call["url"])
    if "enabled_events" in call.params:
        _check_events(call["enabled_events"])
    endpoint |= {name: call[name] for name in ("url", "enabled_events", "description") if name in call.params}
    if "metadata" in call.params:
        endpoint["metadata"] = merge_metadata(endpoint["metadata"], call["metadata"])
    if "disabled" in call.params:
        endpoint["status"] = "disabled" if call["disabled"] else "enabled"
    return store.save(endpoint)


@route("DELETE", "/v1/webhook_endpoints/:id", published("WebhookEndpointDeleteParams"))
def delete(call: Call) -> Body:
    return store.mark_deleted(_existing(call))
