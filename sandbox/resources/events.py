"""The record of events (docs: "List all events"). Stripe keeps them 30 days; the sandbox until it is reset."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from sandbox import store
from sandbox.models import Delivery, StoredObject
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import page
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.webhooks.events import with_pending_count

EVENT = register(Resource("event", present=with_pending_count))
MOST_TYPES = 20


@route(
    "GET",
    "/v1/events",
    published(
        "EventListParams", "created", "delivery_success", "ending_before", "limit", "starting_after", "type", "types"
    ),
)
def list_events(call: Call) -> Body:
    rows = _of_types(store.rows("event"), _types_asked_for(call))
    if "delivery_success" in call.params:
        owed = Delivery.objects.filter(event=OuterRef("object_id")).exclude(state=Delivery.State.SUCCEEDED)
        rows = rows.filter(~Exists(owed) if call["delivery_success"] else Exists(owed))
    return page(EVENT, call, url="/v1/events", rows=rows)


def _types_asked_for(call: Call) -> list[str]:
    if "type" in call.params and "types" in call.params:
        raise ApiError("You may only specify one of these parameters: type, types.", param="type")
    types: list[str] = [call["type"]] if "type" in call.params else call.get("types", [])
    if len(types) > MOST_TYPES:
        raise ApiError(f"You may pass at most {MOST_TYPES} types.", param="types")
    return types


def _of_types(rows: QuerySet[StoredObject], types: list[str]) -> QuerySet[StoredObject]:
    """Only events of these types; `charge.*` is all that begins so."""
    wanted = Q()
    for name in types:
        wanted |= Q(subtype__startswith=name[:-1]) if name.endswith("*") else Q(subtype=name)
    return rows.filter(wanted)


@route("GET", "/v1/events/:id", published("EventRetrieveParams"))
def retrieve(call: Call) -> Body:
    return fetch_from_url(EVENT, call.ids["id"])
