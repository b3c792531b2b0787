"""The record of events (docs: "List all events")."""

from sandbox.protocol.listing import list_route
from sandbox.protocol.parameters import ListOf, NotYet, Text
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.webhooks.events import with_pending_count

EVENT = register(Resource("event", filters={"type": "subtype", "types": "subtype"}, present=with_pending_count))
list_route(EVENT, "/v1/events", {"types": ListOf(Text()), "delivery_success": NotYet()})


@route("GET", "/v1/events/:id")
def retrieve(call: Call) -> Body:
    return fetch_from_url(EVENT, call.ids["id"])
