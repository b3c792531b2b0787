"""The settings of REST framework and drf-spectacular."""

from __future__ import annotations

from typing import Any

_VERSION = "1.0.0"


def rest_framework_settings(*, trusted_proxy_count: int) -> dict[str, Any]:
    """Return REST framework's settings. Only the part of addresses that this many proxies of ours wrote is used."""
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "integrations.authentication.BearerToken",
            "api.authentication.SessionCookie",
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        # No browsable API: it needs inline scripts, which the content security policy forbids.
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "URL_FORMAT_OVERRIDE": None,
        "DEFAULT_THROTTLE_CLASSES": [
            "api.throttles.GuestThrottle",
            "api.throttles.AccountThrottle",
        ],
        "DEFAULT_THROTTLE_RATES": {"anon": "60/min", "user": "300/min"},
        "NUM_PROXIES": trusted_proxy_count,
        "EXCEPTION_HANDLER": "api.problems.answer_exception",
        # There is one version. drf-spectacular would write any other one into the document and a header.
        "ALLOWED_VERSIONS": [_VERSION],
        "DEFAULT_SCHEMA_CLASS": "api.schema.EndpointSchema",
    }


def spectacular_settings(*, site_name: str) -> dict[str, Any]:
    """Return drf-spectacular's settings."""
    return {
        "TITLE": f"{site_name} API",
        "VERSION": _VERSION,
        "OAS_VERSION": "3.1.1",
        "SERVE_INCLUDE_SCHEMA": False,
        "POSTPROCESSING_HOOKS": [
            "drf_spectacular.hooks.postprocess_schema_enums",
            "webhooks.api.document.add_webhooks",
        ],
        # Operations are grouped by what follows.
        "SCHEMA_PATH_PREFIX": r"/api/(?:v1/)?",
        # Fields called alike with other choices.
        "ENUM_NAME_OVERRIDES": {
            "LessonState": "bookings.models.Lesson.State",
            "LessonRequestState": "bookings.models.LessonRequest.State",
            "OrderState": "payments.models.order.Order.State",
            "OrderLineState": "payments.models.order.OrderLine.State",
            "PaymentState": "payments.api.serializers.PaymentState",
            "WorkState": "jobs.models.DurableWork.State",
            "SubscriptionStatus": "subscriptions.api.serializers.STATES",
            "PayoutStatus": "payments.models.payout.STATUS_CHOICES",
        },
    }
