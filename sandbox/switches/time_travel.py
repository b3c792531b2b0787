"""Moving the sandbox's clock, and running what becomes due on the way."""

from sandbox import clock, schedule, store
from sandbox.models import Delivery
from sandbox.webhooks import queue

# Half a lifetime either way: moments further off overflow calendars, and no subscription lasts as long.
FURTHEST_SECONDS = 40 * 365 * 24 * 3600


class TooFar(ValueError):
    """The clock would leave the years in which dates make sense."""


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
        raise TooFar("the clock goes no further than 40 years from now")
    back = clock.offset() - target
    with store.writing():
        clock.move_offset(target)
        if back > 0:
            _keep_deliveries_due(back)
    schedule.run_due_steps()
    queue.delivery_arrived.set()


def _keep_deliveries_due(seconds: float) -> None:
    """Moving the clock back must not put off deliveries that were due."""
    for delivery in Delivery.objects.filter(state=Delivery.State.PENDING):
        delivery.next_attempt_at -= seconds
        delivery.save(update_fields=["next_attempt_at"])
