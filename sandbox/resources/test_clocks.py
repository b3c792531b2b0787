"""Test clocks over the API (docs: "The test clock object")."""

from sandbox.billing import clocks
from sandbox.billing.deletions import delete_clock
from sandbox.protocol.errors import no_such
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Integer
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

TEST_CLOCK = register(Resource(clocks.CLOCK, label="test clock"))
# An upper limit that calendar arithmetic can handle: the year 2100.
MOMENT = Integer(1, 4_102_444_800)


@route(
    "POST",
    "/v1/test_helpers/test_clocks",
    published("test_helpers.TestClockCreateParams", "name", frozen_time=MOMENT),
)
def create(call: Call) -> Body:
    return clocks.create_clock(frozen_time=call["frozen_time"], name=call.get("name"))


@route(
    "GET",
    "/v1/test_helpers/test_clocks",
    published("test_helpers.TestClockListParams", "limit", "starting_after", "ending_before"),
)
def list_clocks(call: Call) -> Body:
    return page(TEST_CLOCK, call, url="/v1/test_helpers/test_clocks")


@route("GET", "/v1/test_helpers/test_clocks/:test_clock")
def retrieve(call: Call) -> Body:
    return _existing(call)


@route(
    "POST",
    "/v1/test_helpers/test_clocks/:test_clock/advance",
    published("test_helpers.TestClockAdvanceParams", frozen_time=MOMENT),
)
def advance(call: Call) -> Body:
    return clocks.advance_clock(_existing(call), call["frozen_time"])


@route("DELETE", "/v1/test_helpers/test_clocks/:test_clock")
def delete(call: Call) -> Body:
    return delete_clock(_existing(call))


def _existing(call: Call) -> Body:
    test_clock = fetch_from_url(TEST_CLOCK, call.ids["test_clock"], param="test_clock")
    if test_clock.get("deleted"):
        raise no_such("test clock", test_clock["id"], param="test_clock", in_url=True)
    return test_clock
