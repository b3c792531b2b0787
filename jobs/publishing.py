"""Hand messages to the broker without piling them up while nobody takes them out."""

from __future__ import annotations

from typing import Any

from celery import current_app

# No message carries work, so beyond this many another one tells the workers nothing they will not find out anyway.
LONGEST_QUEUE = 500


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
