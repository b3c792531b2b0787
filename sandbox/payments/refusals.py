"""The two formats of a decline: the intent's last error, and the 402 response."""

from sandbox.payments.declines import Decline
from sandbox.protocol.errors import DOC_URL, ApiError
from sandbox.protocol.resource import presented
from sandbox.store import Body


def decline_details(decline: Decline, method: Body) -> Body:
    """A decline in the format of `last_payment_error` and `last_setup_error`."""
    details = {
        "advice_code": decline.advice_code,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": DOC_URL + decline.code.replace("_", "-"),
        "message": decline.message,
        "network_decline_code": decline.network_decline_code,
        "param": decline.param,
        "payment_method": presented(method),
        "type": "card_error",
    }
    return {key: value for key, value in details.items() if value is not None}


def decline_error(decline: Decline, details: Body, method: Body) -> ApiError:
    """A decline as a 402 response."""
    extra = {
        "advice_code": decline.advice_code,
        "decline_code": decline.decline_code,
        "network_decline_code": decline.network_decline_code,
    }
    return ApiError(
        decline.message,
        status=402,
        kind="card_error",
        code=decline.code,
        param=decline.param,
        keeps_changes=True,
        details={k: v for k, v in extra.items() if v} | details | {"payment_method": method},
    )
