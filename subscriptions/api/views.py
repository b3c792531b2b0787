"""The endpoints of plans and subscriptions. Each write calls the function of the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import QuerySet
from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN, Problem, Refused
from api.questions import read_body
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, Claim, once_over_transactions
from integrations.schema import key_parameter
from integrations.scopes import Scope
from jobs.models import WorkPostponed
from payments.api.problems import CHECKOUT_CLOSED, STRIPE_SILENT, as_problems
from subscriptions.api import serializers
from subscriptions.changing import CannotChange, cancel_subscription
from subscriptions.models import Plan, PlanPrice, Subscription
from subscriptions.starting import CannotSubscribe, PageAddresses, own_page_addresses, start_subscription

CANNOT_SUBSCRIBE = Problem("cannot-subscribe", 409, "This cannot be subscribed to.", "Read `detail`.")
CANNOT_CHANGE = Problem("cannot-change-subscription", 409, "The subscription cannot be changed.", "Read `detail`.")


@contextmanager
def _as_problems() -> Iterator[None]:
    with as_problems():
        try:
            yield
        except CannotSubscribe as refusal:
            raise Refused(CANNOT_SUBSCRIBE, detail=str(refusal)) from refusal
        except CannotChange as refusal:
            raise Refused(CANNOT_CHANGE, detail=str(refusal)) from refusal
        except WorkPostponed as early:
            raise Refused(STRIPE_SILENT, headers={"Retry-After": "2"}) from early


class PlanList(Endpoint):
    """What can be subscribed to."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="plans", responses=answers(serializers.PlansAnswer))
    def get(self, request: Request) -> Response:  # noqa: ARG002  # the same for everyone
        """All plans on sale, with their prices."""
        plans = Plan.objects.filter(is_on_sale=True).prefetch_related("prices")
        return Response(serializers.PlansAnswer({"results": [serializers.describe_plan(plan) for plan in plans]}).data)


@method_decorator(never_cache, name="dispatch")
class SubscriptionList(Endpoint):
    """The caller's subscriptions."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.PURCHASES_READ}

    @extend_schema(
        operation_id="subscriptions",
        responses=answers(serializers.SubscriptionsAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE),
    )
    def get(self, request: Request) -> Response:
        """All subscriptions of the caller that have begun, the newest first."""
        begun = _own(request).exclude(stripe_subscription_id=None).order_by("-pk")[:100]
        found = [serializers.describe_subscription(row) for row in begun]
        return Response(serializers.SubscriptionsAnswer({"results": found}).data)


@method_decorator(never_cache, name="dispatch")
class CurrentSubscription(Endpoint):
    """The caller's subscription that has not ended."""

    permission_classes = (IsAuthenticated,)
    scopes = {"GET": Scope.PURCHASES_READ}

    @extend_schema(
        operation_id="subscription",
        responses=answers(serializers.SubscriptionAnswer, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND),
    )
    def get(self, request: Request) -> Response:
        """The subscription of the caller."""
        row = _own(request).filter(ended_at=None).first()
        if row is None:
            raise Http404
        return Response(serializers.SubscriptionAnswer(serializers.describe_subscription(row)).data)


class CreateSubscription(Endpoint):
    """Opens a page at Stripe for a plan."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.PURCHASES_WRITE}
    claim: Claim

    @extend_schema(
        operation_id="create_subscription",
        parameters=[key_parameter(required=False)],
        request=serializers.SubscriptionSent,
        responses=answers(
            serializers.SubscriptionBegun,
            INVALID,
            NOT_SIGNED_IN,
            INSUFFICIENT_SCOPE,
            NOT_FOUND,
            CANNOT_SUBSCRIBE,
            CHECKOUT_CLOSED,
            STRIPE_SILENT,
            *KEY_PROBLEMS,
        ),
    )
    @once_over_transactions(is_key_required=False)
    def post(self, request: Request) -> Response:
        """Open the page on which the caller subscribes. A repeated call answers the same page."""
        wanted, ours = read_body(serializers.SubscriptionSent, request), own_page_addresses()
        price = PlanPrice.objects.select_related("plan").filter(pk=wanted["price"], plan__is_on_sale=True).first()
        if price is None:
            raise Http404
        addresses = PageAddresses(
            success=wanted.get("success_url", ours.success), cancel=wanted.get("cancel_url", ours.cancel)
        )
        with _as_problems():
            row = start_subscription(user=caller(request), price=price, addresses=addresses)
        answer = {"sessionId": row.stripe_session_id, "url": row.session_url, "status": row.status}
        return Response(serializers.SubscriptionBegun(answer).data)


class CancelSubscription(Endpoint):
    """Ends the caller's subscription with its period."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.PURCHASES_WRITE}
    claim: Claim

    @extend_schema(
        operation_id="cancel_subscription",
        parameters=[key_parameter(required=False)],
        request=None,
        responses=answers(
            serializers.SubscriptionAnswer,
            NOT_SIGNED_IN,
            INSUFFICIENT_SCOPE,
            NOT_FOUND,
            CANNOT_CHANGE,
            STRIPE_SILENT,
            *KEY_PROBLEMS,
        ),
    )
    @once_over_transactions(is_key_required=False)
    def post(self, request: Request) -> Response:
        """Cancel for the end of the paid period; at once if a renewal could not be charged. A repeat changes nothing."""
        row = _own(request).filter(status__in=Subscription.LIVE).select_related("user").first()
        if row is None:
            raise Http404
        with _as_problems():
            cancel_subscription(row)
        row = _own(request).get(pk=row.pk)
        return Response(serializers.SubscriptionAnswer(serializers.describe_subscription(row)).data)


def _own(request: Request) -> QuerySet[Subscription]:
    return Subscription.objects.filter(user_id=caller(request).pk).select_related("price__plan", "next_price__plan")
