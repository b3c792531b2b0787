"""Endpoints, events and deliveries for tests."""

import itertools

from accounts.tests.factories import UserFactory
from jobs import runner
from webhooks.announcing import View, announce
from webhooks.endpoints import create_endpoint
from webhooks.event_types import EVERYONE, EventType, Field, register_event_type
from webhooks.models import Delivery

BELL = register_event_type(
    EventType(name="bell.rung", text="A bell was rung.", audiences=EVERYONE, fields={"bell": Field(int, "Which.")})
)
_numbers = itertools.count(1)


def endpoint_and_secret(url="https://school.example/hooks", *, user=None, event_types=("bell.rung",), **options):
    return create_endpoint(user=user or UserFactory(), url=url, event_types=event_types, **options)


def endpoint_at(url="https://school.example/hooks", **options):
    return endpoint_and_secret(url, **options)[0]


def ring(*users, staff=False):
    """Announce a new event to these people; returns its number."""
    number = next(_numbers)
    views = [View(data={"bell": number}, user_id=user.pk) for user in users]
    announce(BELL, subject=f"bell:{number}", views=[*views, *([View(data={"bell": number})] if staff else [])])
    return number


def delivery_to(url, **options):
    """A delivery that waits, to a new endpoint."""
    endpoint = endpoint_at(url, **options)
    ring(endpoint.user)
    return Delivery.objects.get(endpoint=endpoint)


def send_due():
    """Send what is due, as a worker would; returns the deliveries as they are then."""
    runner.drain(Delivery, seconds=60)
    return list(Delivery.objects.order_by("pk"))


def sent(delivery):
    send_due()
    delivery.refresh_from_db()
    return delivery
