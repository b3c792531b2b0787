"""A kombu transport whose workers survive the loss of Redis.

When Redis goes away while one process of a worker works and another waits, kombu 5.7 takes the connection apart and then
uses it: to hand back the message that is worked on, and to take that message off the list once its work has ended. Either
ends the whole worker. Neither is needed: a message only wakes, and the sweep finds the row.
"""

from __future__ import annotations

from kombu.transport import redis


class QoS(redis.QoS):
    """Leaves unacknowledged messages to the visibility timeout."""

    restore_at_shutdown = False


class Channel(redis.Channel):
    """Neither acknowledges nor rejects a message whose connection is gone."""

    QoS = QoS

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Take a message off the list."""
        if not self.closed:
            super().basic_ack(delivery_tag, multiple=multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Take a message off the list, or put it back."""
        if not self.closed:
            super().basic_reject(delivery_tag, requeue=requeue)


class Transport(redis.Transport):
    """Named by CELERY_BROKER_TRANSPORT."""

    Channel = Channel
