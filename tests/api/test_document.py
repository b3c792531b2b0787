"""What the OpenAPI document promises about itself: every route, every link, and a scene for every operation."""

import pytest
from django.test import Client

from integrations.endpoints import Endpoint
from tests.api.document import METHODS, document, operations
from tests.api.scenes import SCENES
from tests.test_every_address import patterns

# Without an operation of its own: the document and the page that shows it.
NOT_OPERATIONS = {"api_schema", "api_documentation"}


def endpoints():
    """Every route that an endpoint answers, below /api/ or in the short form."""
    return [
        (name, route, pattern.callback.cls)
        for pattern, route, name in patterns()
        if issubclass(getattr(pattern.callback, "cls", object), Endpoint) and name not in NOT_OPERATIONS
    ]


def views_in_the_document():
    """The view of each operation."""
    found = {}
    for _, route, view in endpoints():
        for operation in operations().values():
            if operation.path.count("/") and same_address(route, operation.path):
                found.setdefault(view, set()).add(operation.method)
    return found


def same_address(route, path):
    return "/" + "".join("{" if c == "<" else "}" if c == ">" else c for c in without_kinds(route)) == path


def without_kinds(route):
    """`orders/<slug:number>` as `orders/<number>`."""
    head, *tails = route.split("<")
    return head + "".join(f"<{tail.partition(':')[2] or tail}" for tail in tails)


def test_every_route_below_api_is_an_endpoint():
    astray = [
        route
        for pattern, route, name in patterns()
        if route.startswith("api/")
        and name not in NOT_OPERATIONS
        and not issubclass(getattr(pattern.callback, "cls", object), Endpoint)
        and "webhook" not in name
    ]
    assert astray == [], "Derive the view from integrations.endpoints.Endpoint."


def test_every_endpoint_is_documented_with_all_its_methods():
    documented = views_in_the_document()
    undocumented = {
        view.__name__: missing
        for _, _, view in endpoints()
        if (missing := {method for method in METHODS if hasattr(view, method)} - documented.get(view, set()))
    }
    assert undocumented == {}, "One address of each view must be in the OpenAPI document."


def test_every_operation_has_a_scene():
    missing, unknown = set(operations()) - set(SCENES), set(SCENES) - set(operations())
    assert not missing, f"Add a request that succeeds to tests/api/scenes.py for {sorted(missing)}."
    assert not unknown, f"tests/api/scenes.py has scenes for operations that do not exist: {sorted(unknown)}."


def test_every_operation_about_one_thing_is_reached_by_a_link():
    reached = {target for operation in operations().values() for target, _ in operation.links}
    missing = [name for name, one in operations().items() if one.path_parameters and name not in reached]
    assert missing == [], "Add a Link to them, to `links` of the view whose answer names the thing."


def test_every_link_fits_the_operation_to_which_it_leads():
    for operation in operations().values():
        for target, link in operation.links:
            assert target in operations(), (operation.id, target)
            named = set(link.get("parameters", {}))
            assert named == set(operations()[target].path_parameters), (operation.id, target, named)


@pytest.mark.parametrize("operation", operations().values(), ids=operations())
def test_every_error_is_problem_details_and_says_which(operation):
    for status, answer in operation.raw["responses"].items():
        if status >= "400":
            assert list(answer["content"]) == ["application/problem+json"]
            assert answer["description"].startswith("`"), (operation.id, status)
    assert {"400", "401", "406", "429", "503"} <= set(operation.raw["responses"])


@pytest.mark.django_db
def test_the_document_is_served_as_it_is_tested():
    served = Client().get("/api/schema/", headers={"accept": "application/json"}).json()
    assert served["paths"].keys() == document()["paths"].keys()
