"""Deleting what subscriptions depend on: customers, and test clocks with all their customers."""

from sandbox import store
from sandbox.billing import clocks
from sandbox.billing.subscriptions import end_all_of
from sandbox.models import ScheduledStep
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit


def delete_customer(customer: Body, *, is_automatic: bool = False) -> Body:
    """Delete a customer, whose subscriptions end at once (docs: "Delete a customer"). Returns the stub that remains."""
    with clocks.time_of(customer):
        end_all_of(customer["id"])
        stub = store.mark_deleted(customer)
        emit("customer.deleted", customer, is_automatic=is_automatic)
    return stub


def delete_clock(test_clock: Body, *, is_automatic: bool = False) -> Body:
    """Delete a clock with its customers. Returns the stub that remains."""
    if not is_automatic:
        clocks.require_ready(test_clock)
    for customer in store.rows("customer").filter(body__test_clock=test_clock["id"]).values_list("body", flat=True):
        delete_customer(customer, is_automatic=is_automatic)
    ScheduledStep.objects.filter(test_clock=test_clock["id"]).delete()
    stub = store.mark_deleted(test_clock)
    emit("test_helpers.test_clock.deleted", test_clock, is_automatic=is_automatic)
    return stub


@step("forget_test_clock")
def delete_when_due(clock_id: str) -> None:
    """Delete an old clock, as Stripe does."""
    test_clock = store.fetch(clocks.CLOCK, clock_id)
    if not test_clock.get("deleted"):
        delete_clock(test_clock, is_automatic=True)
