"""Hand messages to the broker without piling them up while no worker takes them out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from celery import current_app

# No message carries work, so beyond this many another one tells the workers nothing they will not find out anyway.
LONGEST_QUEUE = 500

# The task in `jobs.tasks` that does due rows of one kind.
DRAIN: Final = "jobs.drain"


def send(task_name: str, args: tuple[str, ...] = (), *, queue: str, **options: Any) -> bool:
    """Send one message, or False if the queue is full of them already. Raises what the broker's client raises.

    Tries once: the caller knows better than the client whether and when to try again.
    """
    with current_app.producer_or_acquire() as producer:
        # Declaring asks Redis for the length; the queue itself is only a list that comes and goes.
        if producer.channel.queue_declare(queue=queue).message_count >= LONGEST_QUEUE:
            return False
        current_app.send_task(task_name, args, queue=queue, producer=producer, retry=False, **options)
    return True


def send_drain(label: str, *, queue: str, lease: timedelta) -> None:
    """Send the message that makes a worker do due rows of the kind called `label`. Raises as `send` does.

    The time limits end before the lease of the first row claimed: nothing is stopped by Celery but still running when
    another worker takes it over.
    """
    seconds = lease.total_seconds()
    send(DRAIN, (label,), queue=queue, soft_time_limit=seconds - 10, time_limit=seconds - 5)
