"""Send messages to the broker without piling them up while no worker takes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from celery import current_app

# No message carries work, so beyond this many, another one would add nothing: the workers find the rows anyway.
LONGEST_QUEUE = 500

# The task in `jobs.tasks` that performs due rows of one kind.
DRAIN: Final = "jobs.drain"


@dataclass(frozen=True, slots=True)
class Hint:
    """A task whose message may be lost, or thrown away when it has waited for too long."""

    task_name: str
    args: tuple[str, ...]
    queue: str
    # In seconds after sending.
    expires: float
    soft_time_limit: float

    def send(self) -> None:
        """Send it. Raises as `send` does."""
        send(
            self.task_name,
            self.args,
            queue=self.queue,
            expires=self.expires,
            soft_time_limit=self.soft_time_limit,
            time_limit=self.soft_time_limit + 5,
        )


def send(task_name: str, args: tuple[str, ...] = (), *, queue: str, **options: Any) -> bool:
    """Send one message; False if the queue is already full. Raises what the broker's client raises.

    Tries once: the caller knows better than the client whether and when to try again.
    """
    with current_app.producer_or_acquire() as producer:
        # Declaring the queue returns its length; in Redis the queue is only a list, which exists while it has entries.
        if producer.channel.queue_declare(queue=queue).message_count >= LONGEST_QUEUE:
            return False
        current_app.send_task(task_name, args, queue=queue, producer=producer, retry=False, **options)
    return True


def send_drain(label: str, *, queue: str, lease: timedelta) -> None:
    """Send the message that makes a worker perform due rows of the kind called `label`. Raises as `send` does.

    The time limits end before the lease of the first row claimed: whatever Celery stops has ended when
    another worker takes it over.
    """
    seconds = lease.total_seconds()
    send(DRAIN, (label,), queue=queue, soft_time_limit=seconds - 10, time_limit=seconds - 5)
