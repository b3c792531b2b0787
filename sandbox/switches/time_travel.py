"""Move the sandbox's clock and run the steps that become due."""

from sandbox import clock, schedule, store
from sandbox.models import Delivery
from sandbox.webhooks import queue

# A limit in both directions, because times further away overflow calendars; no test needs more.
FURTHEST_SECONDS = 40 * 365 * 24 * 3600


class TooFar(ValueError):
    """The clock would move further than the limit."""


def move_by(seconds: float) -> None:
    """Move the clock ahead, or back for a negative value."""
    _move_offset_to(clock.offset() + seconds)


def move_to(moment: float) -> None:
    """Set the clock to a moment, in seconds since the epoch."""
    _move_offset_to(clock.offset() + moment - clock.wall())


def reset() -> None:
    """Set the clock back to the machine's time."""
    _move_offset_to(0.0)


def _move_offset_to(target: float) -> None:
    if not abs(target) <= FURTHEST_SECONDS:
        raise TooFar("the clock cannot be moved further than 40 years from now")
    back = clock.offset() - target
    with store.writing():
        clock.move_offset(target)
        if back > 0:
            _keep_deliveries_due(back)
    schedule.run_due_steps()
    queue.delivery_arrived.set()


def _keep_deliveries_due(seconds: float) -> None:
    """Shift the next attempts when the clock moves back, so that due deliveries stay due."""
    for delivery in Delivery.objects.filter(state=Delivery.State.PENDING):
        delivery.next_attempt_at -= seconds
        delivery.save(update_fields=["next_attempt_at"])
