"""Test clocks: customers whose time stands still until it is advanced (docs: "Test clocks").

Everything created for such a customer uses the clock's time: within `time_of` the clock's time applies, and
`schedule_in_time_of` makes later steps wait for the clock instead of the sandbox's time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sandbox import clock, identifiers, schedule, store
from sandbox.billing import periods
from sandbox.billing.periods import Interval
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

CLOCK = "test_helpers.test_clock"
KEPT_DAYS = 30
MOST_INTERVALS = 2
# How far a clock without subscriptions may be advanced at once.
WITHOUT_SUBSCRIPTIONS = Interval("year", 2)
ENDED = ("canceled", "incomplete_expired")
# The clock whose steps are being run: its time is the step's, which is not yet written into the clock.
_moving: ContextVar[str | None] = ContextVar("moving_clock", default=None)


def clock_of(body: Body) -> str | None:
    """The test clock of an object, or else of its customer."""
    if body.get("test_clock"):
        return str(body["test_clock"])
    customer = store.find("customer", body["customer"]) if isinstance(body.get("customer"), str) else None
    return customer.get("test_clock") if customer else None


@contextmanager
def time_of(body: Body) -> Iterator[None]:
    """Let the block run in the time of an object's test clock, if it has one."""
    test_clock = clock_of(body)
    if test_clock is None or test_clock == _moving.get():
        yield
        return
    with clock.at_test_clock(store.fetch(CLOCK, test_clock).get("frozen_time") or clock.own_now()):
        yield


def schedule_in_time_of(body: Body, name: str, object_id: str, *, after: float = 0.0, at: float | None = None) -> None:
    """Schedule a step on the clock of an object: its test clock if it has one, otherwise the sandbox's clock."""
    with time_of(body):
        schedule.schedule(name, object_id, after=after, at=at, test_clock=clock_of(body))


def create_clock(*, frozen_time: int, name: str | None) -> Body:
    """A stored clock that stands at `frozen_time`; Stripe deletes it after thirty days."""
    made = clock.now()
    test_clock: Body = {
        "id": identifiers.new_id("clock_1", 23),
        "object": CLOCK,
        "created": made,
        "deletes_after": made + KEPT_DAYS * periods.DAY,
        "frozen_time": frozen_time,
        "livemode": False,
        "name": name,
        "status": "ready",
        "status_details": {},
    }
    store.insert(test_clock)
    schedule.schedule("forget_test_clock", test_clock["id"], at=test_clock["deletes_after"])
    emit("test_helpers.test_clock.created", test_clock)
    return test_clock


def advance_clock(test_clock: Body, frozen_time: int) -> Body:
    """Start moving a clock forward; it is ready again when everything due on the way has happened."""
    require_ready(test_clock)
    if frozen_time <= test_clock["frozen_time"]:
        raise ApiError("The `frozen_time` must be after the test clock's current frozen time.", param="frozen_time")
    if frozen_time > _furthest(test_clock):
        raise ApiError(
            "The `frozen_time` cannot be more than two intervals of the shortest subscription of this test clock "
            "after its current frozen time, or two years if it has no subscriptions.",
            param="frozen_time",
        )
    test_clock |= {
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": frozen_time}},
    }
    store.save(test_clock)
    emit("test_helpers.test_clock.advancing", test_clock)
    schedule.schedule("advance_test_clock", test_clock["id"])
    return test_clock


def require_ready(test_clock: Body) -> None:
    """Raises while a clock is advancing."""
    if test_clock["status"] != "ready":
        raise unexpected_state(
            "Test clock advancement underway - cannot perform modifications.",
            code="test_clock_advancement_underway",
        )


def _furthest(test_clock: Body) -> int:
    """How far a clock may be advanced at once: two intervals of its shortest subscription."""
    intervals = [
        Interval.of_price(item["price"])
        for subscription in store.rows("subscription").values_list("body", flat=True)
        if subscription["test_clock"] == test_clock["id"] and subscription["status"] not in ENDED
        for item in subscription["items"]["data"]
    ]
    now: int = test_clock["frozen_time"]
    ends = [periods.boundary(now, interval, MOST_INTERVALS) for interval in intervals]
    return min(ends, default=periods.boundary(now, WITHOUT_SUBSCRIPTIONS, 1))


@step("advance_test_clock")
def run_to_target(clock_id: str) -> None:
    """Run everything due until the clock's target, then stop the clock there."""
    test_clock = store.fetch(CLOCK, clock_id)
    if test_clock.get("status") != "advancing":
        return
    target = test_clock["status_details"]["advancing"]["target_frozen_time"]
    token = _moving.set(clock_id)
    try:
        schedule.run_steps_of_test_clock(clock_id, until=target)
    finally:
        _moving.reset(token)
    test_clock |= {"frozen_time": target, "status": "ready", "status_details": {}}
    store.save(test_clock)
    emit("test_helpers.test_clock.ready", test_clock, is_automatic=True)
