"""Persons of an account (docs: "The Person object")."""

from sandbox import store
from sandbox.connect.accounts import changing
from sandbox.connect.people import create_person, delete_person, update_person
from sandbox.protocol.errors import no_such
from sandbox.protocol.listing import page
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.account import PAGING, PERSON, named_account
from sandbox.store import Body

PERSON_RESOURCE = register(Resource("person", references={"account": "account"}))
ROLES = ("director", "executive", "owner", "representative")


def _given(call: Call) -> Body:
    return {name: value for name, value in call.params.items() if name != "expand"}


def _named(call: Call) -> tuple[Body, Body]:
    """The account and its person whose ids are in the URL. Raises Stripe's 404."""
    account = named_account(call)
    with store.acting_for(account["id"]):
        person = store.find("person", call.ids["person"])
    if person is None or person.get("deleted"):
        raise no_such("person", call.ids["person"], param="person", in_url=True)
    return account, person


@route("GET", "/v1/accounts/:account/persons", published("AccountPersonListParams", *PAGING, "relationship"))
def list_persons(call: Call) -> Body:
    account = named_account(call)
    with store.acting_for(account["id"]):
        rows = store.rows("person")
        for role in ROLES:
            if role in (call.get("relationship") or {}):
                rows = rows.filter(**{f"body__relationship__{role}": call["relationship"][role]})
        return page(PERSON_RESOURCE, call, url=f"/v1/accounts/{account['id']}/persons", rows=rows)


@route("POST", "/v1/accounts/:account/persons", published("AccountPersonCreateParams", *PERSON))
def create(call: Call) -> Body:
    account = named_account(call)
    with changing(account["id"]):
        return create_person(account["id"], _given(call))


@route("GET", "/v1/accounts/:account/persons/:person", published("AccountPersonRetrieveParams"))
def retrieve(call: Call) -> Body:
    return _named(call)[1]


@route("POST", "/v1/accounts/:account/persons/:person", published("AccountPersonUpdateParams", *PERSON))
def update(call: Call) -> Body:
    account, person = _named(call)
    with changing(account["id"]):
        return update_person(person, _given(call))


@route("DELETE", "/v1/accounts/:account/persons/:person", published("AccountPersonDeleteParams"))
def delete(call: Call) -> Body:
    account, person = _named(call)
    with changing(account["id"]):
        return delete_person(person)
