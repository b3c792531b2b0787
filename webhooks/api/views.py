"""Endpoints of the API's callers, and what was sent to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from api.links import Link, from_answer
from api.lists import ListQuestion, answer_page, list_of
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN, Problem, Refused
from api.questions import read_body
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, once
from integrations.schema import key_parameter
from integrations.scopes import Scope
from webhooks import endpoints
from webhooks.api.serializers import (
    DeliveryAnswer,
    EndpointAnswer,
    EndpointChange,
    EndpointSent,
    ReplayAnswer,
    ReplaySent,
    RotationSent,
    SecretAnswer,
    describe_delivery,
    describe_endpoint,
)
from webhooks.endpoints import EndpointRefused
from webhooks.models import Delivery
from webhooks.models import Endpoint as WebhookEndpoint
from webhooks.replaying import ReplayRefused, replay_delivery, replay_since

ENDPOINT_REFUSED = Problem("webhook-endpoint-refused", 409, "The endpoint cannot be so.", "Read `detail`.")
REPLAY_REFUSED = Problem("webhook-replay-refused", 409, "Nothing can be sent again now.", "Read `detail`.")
_ENDPOINT_PAGE = list_of(EndpointAnswer, name="WebhookEndpointPage")
_DELIVERY_PAGE = list_of(DeliveryAnswer, name="WebhookDeliveryPage")
# What can be done with an endpoint that was found or made.
_OF_ENDPOINTS = (
    "webhook_endpoint",
    "webhook_endpoint_change",
    "webhook_endpoint_delete",
    "webhook_endpoint_secret",
    "webhook_endpoint_test",
    "webhook_endpoint_replay",
    "webhook_deliveries",
)
_FOR_OWN = (NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND)


class _OwnWebhooks(Endpoint):
    """The base of these addresses: reading and writing have a scope each."""

    permission_classes = (IsAuthenticated,)


@method_decorator(never_cache, name="dispatch")
class EndpointList(_OwnWebhooks):
    """Where a person's programs want to hear of events."""

    scopes = {"GET": Scope.WEBHOOKS_READ, "POST": Scope.WEBHOOKS_WRITE}
    links = {
        "GET": [Link(name, from_answer(endpoint_id="results/0/id")) for name in _OF_ENDPOINTS],
        "POST": [Link(name, from_answer(endpoint_id="endpoint/id")) for name in _OF_ENDPOINTS],
    }

    @extend_schema(
        operation_id="webhook_endpoints",
        parameters=[ListQuestion],
        responses=answers(_ENDPOINT_PAGE, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE),
    )
    def get(self, request: Request) -> Response:
        """Your endpoints, newest first."""
        own = WebhookEndpoint.objects.filter(user=caller(request))
        return Response(
            _ENDPOINT_PAGE(answer_page(request, own, newest_by="created_at", describe=describe_endpoint)).data
        )

    @extend_schema(
        operation_id="webhook_endpoint_make",
        parameters=[key_parameter(required=True)],
        request=EndpointSent,
        responses=answers(SecretAnswer, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, ENDPOINT_REFUSED, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request) -> Response:
        """Make an endpoint. Its secret is in this answer only."""
        sent = read_body(EndpointSent, request)
        with _as_problems():
            made, secret = endpoints.create_endpoint(user=caller(request), **sent)
        return _answer_secret(made, secret)


@method_decorator(never_cache, name="dispatch")
class EndpointDetail(_OwnWebhooks):
    """One endpoint."""

    scopes = {"GET": Scope.WEBHOOKS_READ, "PATCH": Scope.WEBHOOKS_WRITE, "DELETE": Scope.WEBHOOKS_WRITE}

    @extend_schema(operation_id="webhook_endpoint", responses=answers(EndpointAnswer, *_FOR_OWN))
    def get(self, request: Request, endpoint_id: int) -> Response:
        """One endpoint of your own."""
        return _answer(_own(request, endpoint_id))

    @extend_schema(
        operation_id="webhook_endpoint_change",
        parameters=[key_parameter(required=False)],
        request=EndpointChange,
        responses=answers(EndpointAnswer, INVALID, *_FOR_OWN, ENDPOINT_REFUSED, *KEY_PROBLEMS),
    )
    @once(is_key_required=False)
    def patch(self, request: Request, endpoint_id: int) -> Response:
        """Change what you send of it. Switching one on that we disabled forgets its failures."""
        own = _own(request, endpoint_id)
        sent = read_body(EndpointChange, request, is_partial=True)
        is_enabled = sent.pop("is_enabled", None)
        with _as_problems():
            endpoints.change_endpoint(endpoint_id=own.pk, **sent)
        if is_enabled is not None:
            (endpoints.enable_endpoint if is_enabled else endpoints.switch_off_endpoint)(own.pk)
        return _answer(_own(request, endpoint_id))

    @extend_schema(
        operation_id="webhook_endpoint_delete",
        parameters=[key_parameter(required=False)],
        request=None,
        responses=answers(EndpointAnswer, *_FOR_OWN, *KEY_PROBLEMS),
    )
    @once(is_key_required=False)
    def delete(self, request: Request, endpoint_id: int) -> Response:
        """Delete it with its deliveries. Answers what it was."""
        own = _own(request, endpoint_id)
        answer = _answer(own)
        endpoints.delete_endpoint(own.pk)
        return answer


class EndpointSecretView(_OwnWebhooks):
    """Replaces a secret."""

    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="webhook_endpoint_secret",
        parameters=[key_parameter(required=True)],
        request=RotationSent,
        responses=answers(SecretAnswer, INVALID, *_FOR_OWN, ENDPOINT_REFUSED, *KEY_PROBLEMS),
    )
    @method_decorator(never_cache)
    @once()
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Replace the secret of an endpoint. The new one is in this answer only."""
        own = _own(request, endpoint_id)
        sent = read_body(RotationSent, request)
        with _as_problems():
            secret = endpoints.rotate_secret(endpoint_id=own.pk, **sent)
        return _answer_secret(own, secret)


class EndpointTest(_OwnWebhooks):
    """Sends a test."""

    scopes = {"POST": Scope.WEBHOOKS_WRITE}
    links = {"POST": [Link("webhook_delivery", from_answer(delivery_id="id"))]}

    @extend_schema(
        operation_id="webhook_endpoint_test",
        parameters=[key_parameter(required=True)],
        request=None,
        responses=answers(DeliveryAnswer, *_FOR_OWN, ENDPOINT_REFUSED, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Send a test message. Read the delivery again to see what your server answered."""
        own = _own(request, endpoint_id)
        with _as_problems():
            delivery = endpoints.send_test(own.pk)
        return _answer_delivery(_own_deliveries(request).get(pk=delivery.pk))


class EndpointReplay(_OwnWebhooks):
    """Sends messages again."""

    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="webhook_endpoint_replay",
        parameters=[key_parameter(required=True)],
        request=ReplaySent,
        responses=answers(ReplayAnswer, INVALID, *_FOR_OWN, REPLAY_REFUSED, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Send all messages since a moment again, or those that were given up."""
        own = _own(request, endpoint_id)
        sent = read_body(ReplaySent, request)
        with _as_problems():
            count = replay_since(endpoint_id=own.pk, **sent)
        return Response(ReplayAnswer({"count": count}).data)


@method_decorator(never_cache, name="dispatch")
class DeliveryList(_OwnWebhooks):
    """What was sent to an endpoint."""

    scopes = {"GET": Scope.WEBHOOKS_READ}
    links = {
        "GET": [
            Link("webhook_delivery", from_answer(delivery_id="results/0/id")),
            Link("webhook_delivery_replay", from_answer(delivery_id="results/0/id")),
        ]
    }

    @extend_schema(
        operation_id="webhook_deliveries",
        parameters=[ListQuestion],
        responses=answers(_DELIVERY_PAGE, INVALID, *_FOR_OWN),
    )
    def get(self, request: Request, endpoint_id: int) -> Response:
        """The messages to one endpoint of your own, newest first."""
        rows = _own_deliveries(request).filter(endpoint=_own(request, endpoint_id))
        return Response(
            _DELIVERY_PAGE(answer_page(request, rows, newest_by="created_at", describe=describe_delivery)).data
        )


@method_decorator(never_cache, name="dispatch")
class DeliveryDetail(_OwnWebhooks):
    """One message."""

    scopes = {"GET": Scope.WEBHOOKS_READ}

    @extend_schema(operation_id="webhook_delivery", responses=answers(DeliveryAnswer, *_FOR_OWN))
    def get(self, request: Request, delivery_id: int) -> Response:
        """One message to an endpoint of your own."""
        return _answer_delivery(get_object_or_404(_own_deliveries(request), pk=delivery_id))


class DeliveryReplay(_OwnWebhooks):
    """Sends a message again."""

    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="webhook_delivery_replay",
        parameters=[key_parameter(required=True)],
        request=None,
        responses=answers(DeliveryAnswer, *_FOR_OWN, REPLAY_REFUSED, *KEY_PROBLEMS),
    )
    @once()
    def post(self, request: Request, delivery_id: int) -> Response:
        """Send a message again, with the same `webhook-id`."""
        delivery = get_object_or_404(_own_deliveries(request), pk=delivery_id)
        with _as_problems():
            replay_delivery(delivery)
        return _answer_delivery(_own_deliveries(request).get(pk=delivery_id))


@contextmanager
def _as_problems() -> Iterator[None]:
    """Turn refusals into answers."""
    try:
        yield
    except EndpointRefused as refusal:
        raise Refused(ENDPOINT_REFUSED, detail=str(refusal)) from refusal
    except ReplayRefused as refusal:
        raise Refused(REPLAY_REFUSED, detail=str(refusal)) from refusal


def _own(request: Request, endpoint_id: int) -> WebhookEndpoint:
    return get_object_or_404(WebhookEndpoint, pk=endpoint_id, user_id=caller(request).pk)


def _own_deliveries(request: Request) -> Any:
    return Delivery.objects.select_related("event").filter(endpoint__user_id=caller(request).pk)


def _answer(endpoint: WebhookEndpoint) -> Response:
    return Response(EndpointAnswer(describe_endpoint(endpoint)).data)


def _answer_secret(endpoint: WebhookEndpoint, secret: str) -> Response:
    return Response(SecretAnswer({"endpoint": describe_endpoint(endpoint), "secret": secret}).data)


def _answer_delivery(delivery: Delivery) -> Response:
    return Response(DeliveryAnswer(describe_delivery(delivery)).data)
