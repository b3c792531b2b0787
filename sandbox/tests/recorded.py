"""Everything a sandbox answered and told during a run, held against what Stripe publishes."""

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
_ERROR_KINDS = ("api_error", "card_error", "idempotency_error", "invalid_request_error")


def problems_in(log_file: Path) -> list[str]:
    """What was wrong with any answer or event in the file, each once, with the call that brought it to light."""
    found: dict[str, str] = {}
    for line in log_file.read_text().splitlines() if log_file.exists() else ():
        record = json.loads(line)
        if "event" in record:
            where, wrong = record["event"]["type"], _event_problems(record["event"])
        else:
            request = record["request"]
            where, wrong = f"{request['method']} {request['path']}", _answer_problems(request)
        for problem in wrong:
            found.setdefault(problem, where)
    return [f"{problem}   ({where})" for problem, where in found.items()]


def _answer_problems(request: dict[str, Any]) -> list[str]:
    status, answer = request["status"], json.loads(request["answer"])
    if status == 200:
        return problems(answer)
    # 500 only when a fault asked for it, which says so.
    if status >= 500 and "asked for" not in request["answer"]:
        return [f"status {status}: {request['answer'][:300]}"]
    return _error_problems(answer)


def _error_problems(answer: dict[str, Any]) -> list[str]:
    error = answer.get("error")
    if set(answer) != {"error"} or not isinstance(error, dict):
        return [f"not an error of Stripe's shape: {answer}"]
    wrong = [f"error.{key}: unknown field" for key in set(error) - _ERROR_FIELDS]
    if error.get("type") not in _ERROR_KINDS:
        wrong.append(f"error.type: {error.get('type')!r}")
    if not error.get("message"):
        wrong.append("error.message: missing")
    nested = (error[key] for key in ("payment_intent", "payment_method", "setup_intent") if key in error)
    return wrong + [problem for body in nested for problem in problems(body, f"error.{body['object']}")]


def _event_problems(event: dict[str, Any]) -> list[str]:
    body, previous = event["data"]["object"], event["data"].get("previous_attributes", {})
    wrong = problems(event) + problems(body, f"event {event['type']}")
    wrong += [f"event {event['type']}: previous {key} is no field of it" for key in previous if key not in body]
    return wrong
