"""Buttons for subscriptions, invoices, promotion codes and test clocks."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.http import QueryDict

from sandbox.dashboard.buttons import Input, When, button
from sandbox.dashboard.calls import call, has_call
from sandbox.store import Body

ENDED = ("canceled", "incomplete_expired")
HOUR, DAY = 3600, 86400
SPANS = {"hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 31 * DAY}


def _answered(method: str, path: str, *statuses: str) -> When:
    """A condition: the object has one of these statuses, and the sandbox supports the call."""

    def holds(body: Body) -> bool:
        return body.get("status") in statuses and has_call(method, path.format(id="id"))

    return holds


def _is_running(subscription: Body) -> bool:
    return subscription["status"] not in ENDED and has_call("DELETE", "/v1/subscriptions/id")


@button("subscription", "cancel", "Cancel now", when=_is_running, is_destructive=True)
def cancel_subscription(subscription: Body, _form: QueryDict) -> None:
    call("DELETE", f"/v1/subscriptions/{subscription['id']}")


@button(
    "subscription", "cancel_later", "Cancel at the end of the period",
    when=lambda body: _is_running(body) and not body["cancel_at_period_end"],
)  # fmt: skip
def cancel_later(subscription: Body, _form: QueryDict) -> None:
    call("POST", f"/v1/subscriptions/{subscription['id']}", cancel_at_period_end="true")


@button(
    "subscription", "keep", "Do not cancel",
    when=lambda body: _is_running(body) and bool(body["cancel_at_period_end"]),
)  # fmt: skip
def keep(subscription: Body, _form: QueryDict) -> None:
    call("POST", f"/v1/subscriptions/{subscription['id']}", cancel_at_period_end="false")


FINALIZE, PAY, VOID = "/v1/invoices/{id}/finalize", "/v1/invoices/{id}/pay", "/v1/invoices/{id}/void"
WRITE_OFF = "/v1/invoices/{id}/mark_uncollectible"


@button("invoice", "finalize", "Finalize", when=_answered("POST", FINALIZE, "draft"))
def finalize(invoice: Body, _form: QueryDict) -> None:
    call("POST", FINALIZE.format(id=invoice["id"]))


@button(
    "invoice",
    "pay",
    "Pay",
    when=_answered("POST", PAY, "open", "uncollectible"),
    about="Charges the customer's default payment method.",
)
def pay(invoice: Body, _form: QueryDict) -> None:
    call("POST", PAY.format(id=invoice["id"]))


@button(
    "invoice", "pay_elsewhere", "Mark as paid", when=_answered("POST", PAY, "open", "uncollectible"),
    about="It was paid outside Stripe.",
)  # fmt: skip
def pay_elsewhere(invoice: Body, _form: QueryDict) -> None:
    call("POST", PAY.format(id=invoice["id"]), paid_out_of_band="true")


@button("invoice", "void", "Void", when=_answered("POST", VOID, "open", "uncollectible"), is_destructive=True)
def void(invoice: Body, _form: QueryDict) -> None:
    call("POST", VOID.format(id=invoice["id"]))


@button("invoice", "write_off", "Mark as uncollectible", when=_answered("POST", WRITE_OFF, "open"), is_destructive=True)
def write_off(invoice: Body, _form: QueryDict) -> None:
    call("POST", WRITE_OFF.format(id=invoice["id"]))


def _has_promotion_codes(_code: Body) -> bool:
    return has_call("POST", "/v1/promotion_codes/id")


@button("promotion_code", "switch", "Activate or deactivate", when=_has_promotion_codes)
def switch_code(code: Body, _form: QueryDict) -> None:
    call("POST", f"/v1/promotion_codes/{code['id']}", active="false" if code["active"] else "true")


def moment_typed(form: QueryDict, now: float) -> int:
    """The time entered in a form: a span from now, or a date and time in UTC. Raises ValueError without either."""
    span = form.get("span", "")
    if span in SPANS:
        return int(now) + SPANS[span]
    typed = form.get("date", "")
    try:
        moment = datetime.fromisoformat(typed)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (OverflowError, ValueError) as error:
        raise ValueError("Choose a date and a time.") from error


def date_input(now: float) -> Input:
    """A field for a date and time in UTC; `now` is its initial value."""
    return Input(
        "date", "To a date and time (UTC)", "datetime-local", f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M}"
    )


CLOCK = "test_helpers.test_clock"


def _date_of_clock(test_clock: Body) -> Sequence[Input]:
    return (date_input(test_clock["frozen_time"]),)


def _is_ready(test_clock: Body) -> bool:
    return bool(test_clock.get("status") == "ready")


def _advance(test_clock: Body, moment: int) -> None:
    call("POST", f"/v1/test_helpers/test_clocks/{test_clock['id']}/advance", frozen_time=str(moment))


def _offer_span(span: str) -> None:
    @button(
        CLOCK, f"advance_{span}", f"Advance by a {span}" if span != "hour" else "Advance by an hour", when=_is_ready
    )
    def advance(test_clock: Body, _form: QueryDict) -> None:
        _advance(test_clock, test_clock["frozen_time"] + SPANS[span])


for _span in SPANS:
    _offer_span(_span)


@button(CLOCK, "advance_to", "Advance", when=_is_ready, inputs=_date_of_clock)
def advance_to(test_clock: Body, form: QueryDict) -> None:
    _advance(test_clock, moment_typed(form, test_clock["frozen_time"]))


@button(CLOCK, "delete", "Delete the clock", about="Also deletes its customers and subscriptions.", is_destructive=True)
def delete_clock(test_clock: Body, _form: QueryDict) -> None:
    call("DELETE", f"/v1/test_helpers/test_clocks/{test_clock['id']}")
