"""Events (docs: "List all events"). Stripe keeps them for 30 days, the sandbox until it is reset."""

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
    rows = _of_types(store.rows("event"), _requested_types(call))
    if "delivery_success" in call.params:
        unsuccessful = Delivery.objects.filter(event=OuterRef("object_id")).exclude(state=Delivery.State.SUCCEEDED)
        rows = rows.filter(~Exists(unsuccessful) if call["delivery_success"] else Exists(unsuccessful))
    return page(EVENT, call, url="/v1/events", rows=rows)


def _requested_types(call: Call) -> list[str]:
    if "type" in call.params and "types" in call.params:
        raise ApiError("You may only specify one of these parameters: type, types.", param="type")
    types: list[str] = [call["type"]] if "type" in call.params else call.get("types", [])
    if len(types) > MOST_TYPES:
        raise ApiError(f"You may pass at most {MOST_TYPES} types.", param="types")
    return types


def _of_types(rows: QuerySet[StoredObject], types: list[str]) -> QuerySet[StoredObject]:
    """The events of these types; `charge.*` matches every type with that prefix."""
    wanted = Q()
    for name in types:
        wanted |= Q(subtype__startswith=name[:-1]) if name.endswith("*") else Q(subtype=name)
    return rows.filter(wanted)


@route("GET", "/v1/events/:id", published("EventRetrieveParams"))
def retrieve(call: Call) -> Body:
    return fetch_from_url(EVENT, call.ids["id"])
