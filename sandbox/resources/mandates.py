"""Mandates, read-only: debits and setups of bank accounts create them (docs: "The Mandate object")."""

from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

MANDATE = register(Resource("mandate", references={"payment_method": "payment_method"}))


@route("GET", "/v1/mandates/:mandate")
def retrieve(call: Call) -> Body:
    return fetch_from_url(MANDATE, call.ids["mandate"], param="mandate")
