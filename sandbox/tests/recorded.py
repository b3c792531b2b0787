"""Check all responses and events of a sandbox's run against Stripe's published types."""

import json
from pathlib import Path
from typing import Any

import stripe

from sandbox.tests.shapes import problems

_ERROR_FIELDS = frozenset(stripe.ErrorObject.__annotations__) | {
    "advice_code",
    "network_decline_code",
    "request_log_url",
}
# Stripe sends this event to connected accounts for a transfer, but does not list it among its event types.
_UNPUBLISHED = "event.type: 'payment.created' is not one of"
_ERROR_KINDS = ("api_error", "card_error", "idempotency_error", "invalid_request_error")


def problems_in(log_file: Path) -> list[str]:
    """The problems of all responses and events in the file, each once, with the first call that had it."""
    found: dict[str, str] = {}
    for line in log_file.read_text().splitlines() if log_file.exists() else ():
        record = json.loads(line)
        if "event" in record:
            where, wrong = record["event"]["type"], _event_problems(record["event"])
        else:
            request = record["request"]
            where, wrong = (
                f"{request['method']} {request['path']}",
                answer_problems(request["status"], request["answer"]),
            )
        for problem in wrong:
            found.setdefault(problem, where)
    return [f"{problem}   ({where})" for problem, where in found.items()]


def answer_problems(status: int, text: str) -> list[str]:
    """The problems of one response, checked against the published types or the format of Stripe's errors."""
    answer = json.loads(text)
    if status == 200:
        return _published(problems(answer))
    # The only 500 allowed is the one that a fault requests; its message says so.
    if status >= 500 and "requested under" not in text:
        return [f"status {status}: {text[:300]}"]
    return _error_problems(answer)


def _published(found: list[str]) -> list[str]:
    return [problem for problem in found if _UNPUBLISHED not in problem]


def _error_problems(answer: dict[str, Any]) -> list[str]:
    error = answer.get("error")
    if set(answer) != {"error"} or not isinstance(error, dict):
        return [f"not an error in Stripe's format: {answer}"]
    wrong = [f"error.{key}: unknown field" for key in set(error) - _ERROR_FIELDS]
    if error.get("type") not in _ERROR_KINDS:
        wrong.append(f"error.type: {error.get('type')!r}")
    if not error.get("message"):
        wrong.append("error.message: missing")
    nested = (error[key] for key in ("payment_intent", "payment_method", "setup_intent") if key in error)
    return wrong + [problem for body in nested for problem in problems(body, f"error.{body['object']}")]


def _event_problems(event: dict[str, Any]) -> list[str]:
    body, previous = event["data"]["object"], event["data"].get("previous_attributes", {})
    if event["type"] == "invoice.upcoming":
        # The only object without an id (docs: "Types of events"), because the invoice does not exist yet.
        body = {"id": ""} | body
        event = event | {"data": event["data"] | {"object": body}}
    wrong = _published(problems(event)) + problems(body, f"event {event['type']}")
    wrong += [f"event {event['type']}: previous {key} is not one of its fields" for key in previous if key not in body]
    return wrong
