"""Every operation, at every one of its addresses, as every role: who may, who may not, and who finds nothing."""

import re

import pytest

from accounts.tests.factories import TeacherFactory, UserFactory
from integrations.endpoints import Endpoint
from integrations.scopes import Scope
from tests.api.calling import call, program
from tests.api.document import operations
from tests.api.scenes import SCENES, Access
from tests.api.test_document import endpoints
from tests.market import member_of_staff
from tests.test_every_address import everything_stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stripe_sandbox")]
STRANGERS = {
    "guest": lambda: None,
    "student": UserFactory,
    "teacher": lambda: TeacherFactory().user,
    "support": lambda: member_of_staff("support"),
    "finance": lambda: member_of_staff("finance"),
    "admin": lambda: member_of_staff("admin"),
}
# A stranger's request about themselves succeeds, or is refused for what they do not have, never for whom they are.
DONE_OR_REFUSED = {200, 404, 409, 422}
TEACHES = {"teacher"}


def expected(operation, access, role):
    """The statuses that a stranger of this role may get."""
    if access is Access.OPEN:
        return {200}
    if role == "guest":
        return {401}
    if access is Access.OWNED:
        return {404}
    if access is Access.TEACHERS and role not in TEACHES:
        return {403}
    return {200} if operation.method == "get" else DONE_OR_REFUSED


def written_out(route):
    """The pattern of a route as an address with names in braces."""
    return "/" + re.sub(
        r"\(\?:api/\)\?|[\^$]|/\?$|\?", "", re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.replace(r"\Z", ""))
    )


def addresses_of(operation):
    """Every address of the operation: the documented one, and those of the same view."""
    of_views = {}
    for _, route, view in endpoints():
        of_views.setdefault(view, []).append(written_out(route))
    for addresses in of_views.values():
        if operation.path in addresses:
            return sorted(set(addresses))
    raise AssertionError(f"No route answers {operation.path}.")


@pytest.mark.parametrize("name", SCENES)
def test_everyone_gets_what_is_theirs(name):
    access, make = SCENES[name]
    operation = operations()[name]
    strangers = {role: program(make_person()) for role, make_person in STRANGERS.items()}
    for address in addresses_of(operation):
        scene = make()
        before = everything_stored()
        for role, client in strangers.items():
            answer = call(client, name, scene, path=address)
            allowed = expected(operation, access, role)
            assert answer.status_code in allowed, f"{role} at {address}: {answer.status_code} {answer.content!r}"
        if access is Access.OWNED:
            assert changed_since(before) == set(), f"Strangers changed something at {address}."
        else:
            scene = make()  # what one of them did, such as redeeming a gift, may be possible only once
        for person in (*scene.also, scene.caller):
            answer = call(program(person), name, scene, path=address)
            assert answer.status_code == 200, f"{person} at {address}: {answer.status_code} {answer.content!r}"


def changed_since(before):
    """The kinds of rows that changed, but for tokens, which note when they are used."""
    after = everything_stored()
    return {label for label in before if before[label] != after[label]} - {"integrations.apitoken"}


@pytest.mark.parametrize("name", SCENES)
def test_a_token_without_the_scope_is_refused_and_one_with_it_alone_is_not(name):
    access, make = SCENES[name]
    scene = make()
    needed = scopes_of(name)
    if access is Access.OPEN and not needed:
        return
    assert needed, f"{name} needs no scope, so every token may call it."
    without = [scope for scope in Scope if scope not in needed]
    answer = call(program(scene.caller, *without), name, scene)
    assert answer.status_code == 403, answer.content
    assert answer.json()["type"] == "urn:lectern:problem:insufficient-scope"
    assert answer.json()["scope"] in needed
    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="insufficient_scope"')
    with_it = [Scope(answer.json()["scope"])]
    assert call(program(scene.caller, *with_it), name, scene).status_code == 200


def scopes_of(name):
    """The scopes that an operation may ask for."""
    operation = operations()[name]
    view = next(view for _, route, view in endpoints() if written_out(route) == operation.path)
    assert issubclass(view, Endpoint)
    named = view.scopes.get(operation.method.upper())
    if named:
        return {named}
    return {Scope.PURCHASES_READ, Scope.EARNINGS_READ} if view.decides_scope or name == "validate_discount" else set()


@pytest.mark.parametrize("name", SCENES)
def test_beyond_the_limit_the_answer_says_when_to_come_back(name, monkeypatch):
    """Whatever the answers were until then, refusals included."""
    limits = {"anon": "2/min", "user": "2/min"}
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", limits)
    scene = SCENES[name][1]()
    guest, wrong_token = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2", "HTTP_AUTHORIZATION": "Bearer x"}
    for person, options in ((None, guest), (None, wrong_token), (scene.caller, {})):
        client = program(person)
        answers = [call(client, name, scene, **options) for _ in range(3)]
        assert [answer.status_code == 429 for answer in answers] == [False, False, True], (name, options)
        last = answers[-1]
        assert last.json()["type"] == "urn:lectern:problem:too-many-requests"
        assert 1 <= int(last.headers["Retry-After"]) <= 60
        assert re.fullmatch(r'"(anon|user)";q=2;w=60', last.headers["RateLimit-Policy"])
        assert re.fullmatch(r'"(anon|user)";r=0;t=\d+', last.headers["RateLimit"])
        assert re.fullmatch(r'"(anon|user)";r=1;t=\d+', answers[0].headers["RateLimit"])
