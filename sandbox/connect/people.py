"""Persons: who runs or owns a connected account (docs: "The Person object")."""

from sandbox import clock, identifiers, store
from sandbox.connect.differences import difference, merged
from sandbox.payments.methods import EMPTY_ADDRESS
from sandbox.protocol.parameters import merge_metadata
from sandbox.store import Body
from sandbox.webhooks.events import emit

# Never shown again; only that they were provided.
_SECRETS = {"id_number": "id_number_provided", "ssn_last_4": "ssn_last_4_provided"}
_ROLES = ("authorizer", "director", "executive", "legal_guardian", "owner")
_DOCUMENT = {"back": None, "details": None, "details_code": None, "front": None}


def _no_requirements() -> Body:
    lists = ("alternatives", "currently_due", "errors", "eventually_due", "past_due", "pending_verification")
    return {name: [] for name in lists}


def create_person(account_id: str, given: Body, *, is_individual: bool = False) -> Body:
    """A stored person of an account; emits person.created there."""
    person: Body = {
        "id": identifiers.new_id("person_1", 23),
        "object": "person",
        "account": account_id,
        "additional_tos_acceptances": {"account": {"date": None, "ip": None, "user_agent": None}},
        "address": dict(EMPTY_ADDRESS),
        "created": clock.now(),
        "dob": {"day": None, "month": None, "year": None},
        "email": None,
        "first_name": None,
        "future_requirements": _no_requirements(),
        "id_number_provided": False,
        "last_name": None,
        "metadata": {},
        "phone": None,
        "relationship": dict.fromkeys(_ROLES, False)
        | {"percent_ownership": None, "representative": is_individual, "title": None},
        "requirements": _no_requirements(),
        "ssn_last_4_provided": False,
        "verification": {
            "additional_document": dict(_DOCUMENT),
            "details": None,
            "details_code": None,
            "document": dict(_DOCUMENT),
            "status": "unverified",
        },
        "_is_individual": is_individual,
    }
    _write(person, given)
    with store.acting_for(account_id):
        store.insert(person)
        emit("person.created", person)
    return person


def update_person(person: Body, given: Body, *, is_automatic: bool = False) -> Body:
    """Change a person; emits person.updated if anything changed."""
    before = dict(person)
    _write(person, given)
    previous = difference(store.visible(before), store.visible(person))
    if previous:
        with store.acting_for(person["account"]):
            store.save(person)
            emit("person.updated", person, previous=previous, is_automatic=is_automatic)
    return person


def _write(person: Body, given: Body) -> None:
    change = dict(given)
    for secret, shown in _SECRETS.items():
        if change.pop(secret, None):
            person[shown] = True
    if "metadata" in change:
        change["metadata"] = merge_metadata(person["metadata"], change["metadata"])
    if "dob" in change and not change["dob"]:
        change["dob"] = {"day": None, "month": None, "year": None}
    person |= {key: merged(person.get(key) or {}, value) if isinstance(value, dict) and key != "metadata" else value
               for key, value in change.items()}  # fmt: skip


def delete_person(person: Body) -> Body:
    """Remove a person from an account; emits person.deleted."""
    with store.acting_for(person["account"]):
        stub = store.mark_deleted(person)
        emit("person.deleted", person)
    return stub


def people_of(account_id: str) -> list[Body]:
    """The persons of an account that are not deleted, newest first."""
    with store.acting_for(account_id):
        rows = store.rows("person").order_by("-sequence")
        return [dict(body) for body in rows.values_list("body", flat=True)]


def individual_of(account_id: str) -> Body | None:
    """The person of an individual's account."""
    return next((person for person in people_of(account_id) if person.get("_is_individual")), None)
