"""Make and change endpoints. The pages, the API and the admin all call these."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.addresses import has_verified_address
from accounts.models import Teacher, User
from jobs.models import DurableWork
from jobs.wakeups import wake_after_commit
from webhooks import mails
from webhooks.event_types import TEST, Audience, EventType, registered_event_types
from webhooks.models import Delivery, Endpoint, EndpointSecret, Event
from webhooks.targets import TargetRefused, read_target

ENDPOINTS_AT_MOST = 10
# How long the former secret still signs, unless it is to end at once.
OVERLAP = timedelta(hours=24)
_SECRETS_AT_MOST = 3
_TESTS_PER_HOUR = 30


class EndpointRefused(Exception):
    """The endpoint cannot be made or changed so. The message is for its owner."""


def event_types_for(user: User, *, sees_everything: bool = False) -> list[EventType]:
    """The kinds of events that a person can choose from."""
    if sees_everything:
        return [each for each in registered_event_types() if each.audiences]
    audiences = {Audience.STUDENT}
    if Teacher.objects.filter(user=user).exists():
        audiences.add(Audience.TEACHER)
    return [each for each in registered_event_types() if each.audiences & audiences]


@transaction.atomic
def create_endpoint(
    *, user: User, url: str, event_types: Collection[str], description: str = "", sees_everything: bool = False
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is not shown again. Raises EndpointRefused.

    The caller has checked that `user` may see everything.
    """
    # Locked, so that of two requests sent at once the second one counts the first.
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not has_verified_address(user):
        raise EndpointRefused("Please verify your email address first: follow the link in the email we sent you.")
    if Endpoint.objects.filter(user=user).count() >= ENDPOINTS_AT_MOST:
        raise EndpointRefused(f"You have {ENDPOINTS_AT_MOST} endpoints. Delete one that is no longer used.")
    endpoint = Endpoint(user=user, description=description, sees_everything=sees_everything)
    _set_url(endpoint, url)
    _set_event_types(endpoint, event_types)
    _save(endpoint)
    secret = _add_secret(endpoint)
    mails.queue_endpoint_created(endpoint)
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    *,
    endpoint_id: int,
    url: str | None = None,
    event_types: Collection[str] | None = None,
    description: str | None = None,
) -> Endpoint:
    """Change what is given. Raises EndpointRefused, and Endpoint.DoesNotExist."""
    endpoint = lock_endpoint(endpoint_id)
    if url is not None and url != endpoint.url:
        _set_url(endpoint, url)
        _forget_failures(endpoint)
    if event_types is not None:
        _set_event_types(endpoint, event_types)
    if description is not None:
        endpoint.description = description
    _save(endpoint)
    return endpoint


@transaction.atomic
def enable_endpoint(endpoint_id: int) -> Endpoint:
    """Send it events again. What happened meanwhile is parked and can be replayed. Raises Endpoint.DoesNotExist."""
    endpoint = lock_endpoint(endpoint_id)
    endpoint.is_enabled, endpoint.disabled_because = True, ""
    _forget_failures(endpoint)
    endpoint.save()
    return endpoint


@transaction.atomic
def switch_off_endpoint(endpoint_id: int) -> Endpoint:
    """Send it nothing until its owner switches it on again. Raises Endpoint.DoesNotExist."""
    endpoint = lock_endpoint(endpoint_id)
    endpoint.is_enabled = False
    endpoint.save(update_fields=["is_enabled"])
    return endpoint


def delete_endpoint(endpoint_id: int) -> None:
    """Delete an endpoint with its deliveries. A message that is being sent still arrives."""
    Endpoint.objects.filter(pk=endpoint_id).delete()


@transaction.atomic
def rotate_secret(*, endpoint_id: int, is_leaked: bool = False) -> str:
    """A new secret. The former one signs beside it for `OVERLAP`, or ends at once if it leaked. Raises EndpointRefused."""
    endpoint = lock_endpoint(endpoint_id)
    now = timezone.now()
    endpoint.secrets.filter(ends_at__lte=now).delete()
    if is_leaked:
        endpoint.secrets.all().delete()
    elif endpoint.secrets.count() >= _SECRETS_AT_MOST:
        raise EndpointRefused("The former secrets still work. Wait until one has ended, or end them all at once.")
    else:
        endpoint.secrets.filter(ends_at=None).update(ends_at=now + OVERLAP)
    return _add_secret(endpoint)


@transaction.atomic
def send_test(endpoint_id: int) -> Delivery:
    """Queue a message about nothing. Raises EndpointRefused, and Endpoint.DoesNotExist."""
    endpoint = lock_endpoint(endpoint_id)
    if not endpoint.is_enabled:
        raise EndpointRefused("Switch the endpoint on first.")
    recent = Delivery.objects.filter(
        endpoint=endpoint, event__type=TEST.name, created_at__gt=timezone.now() - timedelta(hours=1)
    )
    if recent.count() >= _TESTS_PER_HOUR:
        raise EndpointRefused(f"You can send {_TESTS_PER_HOUR} tests an hour. Please wait.")
    name = secrets.token_hex(16)
    event = Event.objects.create(
        key=f"{TEST.name}:{name}",
        message_id=f"evt_{name}",
        type=TEST.name,
        version=TEST.version,
        data={"endpoint": endpoint.pk},
    )
    return Delivery.objects.create(event=event, endpoint=endpoint)


def resume(endpoint: Endpoint) -> None:
    """End a pause, because its owner wants something to be sent now."""
    Endpoint.objects.filter(pk=endpoint.pk).update(paused_until=None)
    Delivery.objects.filter(
        endpoint=endpoint, state=DurableWork.State.WAITING, attempts=0, run_after__gt=timezone.now()
    ).update(run_after=timezone.now())
    wake_after_commit(Delivery)


def lock_endpoint(endpoint_id: int) -> Endpoint:
    """The endpoint as it is now, locked until the end of the transaction. Raises Endpoint.DoesNotExist."""
    return Endpoint.objects.select_for_update(of=("self",)).select_related("user").get(pk=endpoint_id)


def _set_url(endpoint: Endpoint, url: str) -> None:
    try:
        read_target(url)
    except TargetRefused as refusal:
        raise EndpointRefused(str(refusal)) from refusal
    endpoint.url = url


def _set_event_types(endpoint: Endpoint, names: Collection[str]) -> None:
    known = {each.name for each in event_types_for(endpoint.user, sees_everything=endpoint.sees_everything)}
    unknown = sorted(set(names) - known)
    if unknown:
        raise EndpointRefused(f"There is no event called {', '.join(unknown)[:200]} for you.")
    if not names:
        raise EndpointRefused("Choose at least one event.")
    endpoint.event_types = sorted(set(names))


def _forget_failures(endpoint: Endpoint) -> None:
    endpoint.failing_since = endpoint.paused_until = None
    endpoint.failures_in_a_row = 0


def _save(endpoint: Endpoint) -> None:
    try:
        with transaction.atomic():
            endpoint.save()
    except IntegrityError as error:
        if "webhook_endpoint_once_per_address" not in str(error):
            raise
        raise EndpointRefused("You have an endpoint with this address.") from error


def _add_secret(endpoint: Endpoint) -> str:
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    EndpointSecret.objects.create(endpoint=endpoint, secret=secret)
    return secret
