"""Buttons for connected accounts, transfers and payouts."""

from collections.abc import Sequence

from django.http import QueryDict

from sandbox.connect.accounts import delete_account
from sandbox.connect.onboarding import complete_onboarding, restrict_account
from sandbox.connect.payouts import fail_payout, pay_payout_now
from sandbox.connect.published_banks import COULD_NOT_PROCESS, FAILURES
from sandbox.dashboard.buttons import Input, button, one_of
from sandbox.dashboard.calls import call
from sandbox.dashboard.payment_buttons import amount_input, minor_units
from sandbox.options import options
from sandbox.store import Body

REASONS = {failure.code: failure for failure in (COULD_NOT_PROCESS, *FAILURES.values())}


def _is_connected(account: Body) -> bool:
    return bool(account["id"] != options().account_id)


@button(
    "account", "complete", "Complete onboarding", when=_is_connected,
    about="All requirements are submitted and verified; charges and payouts are enabled.",
)  # fmt: skip
def complete(account: Body, _form: QueryDict) -> None:
    complete_onboarding(account)


@button(
    "account", "restrict", "Restrict", when=_is_connected, is_destructive=True,
    about="A document is required; charges and payouts are disabled until it is submitted.",
)  # fmt: skip
def restrict(account: Body, _form: QueryDict) -> None:
    restrict_account(account)


@button(
    "account", "disconnect", "Disconnect", when=_is_connected, is_destructive=True,
    about="The account's owner revokes the platform's access permanently.",
)  # fmt: skip
def disconnect(account: Body, _form: QueryDict) -> None:
    delete_account(account)


def _is_in_transit(payout: Body) -> bool:
    return payout["status"] in ("pending", "in_transit")


@button("payout", "pay", "Mark as arrived", when=_is_in_transit)
def pay(payout: Body, _form: QueryDict) -> None:
    pay_payout_now(payout)


def _can_fail(payout: Body) -> bool:
    return _is_in_transit(payout) or payout["status"] == "paid"


def _failures(_payout: Body) -> Sequence[Input]:
    return (one_of("reason", "Failure code", tuple(REASONS)),)


@button(
    "payout", "fail", "Mark as failed", when=_can_fail, inputs=_failures, is_destructive=True,
    about="The bank returns the money.",
)  # fmt: skip
def fail(payout: Body, form: QueryDict) -> None:
    failure = REASONS.get(form.get("reason", ""))
    if failure is None:
        raise ValueError("Choose a failure code.")
    fail_payout(payout, failure)


def _is_cancelable(payout: Body) -> bool:
    return payout["status"] == "pending" and not payout["automatic"]


@button("payout", "cancel", "Cancel the payout", when=_is_cancelable, is_destructive=True)
def cancel(payout: Body, _form: QueryDict) -> None:
    call("POST", f"/v1/payouts/{payout['id']}/cancel")


def _is_reversible(transfer: Body) -> bool:
    return bool(transfer["amount_reversed"] < transfer["amount"])


def _amount_left(transfer: Body) -> Sequence[Input]:
    left = transfer["amount"] - transfer["amount_reversed"]
    return (amount_input(f"Amount ({transfer['currency'].upper()})", left, transfer["currency"]),)


@button("transfer", "reverse", "Reverse", when=_is_reversible, inputs=_amount_left, is_destructive=True)
def reverse(transfer: Body, form: QueryDict) -> None:
    amount = minor_units(form.get("amount", ""), transfer["currency"])
    call("POST", f"/v1/transfers/{transfer['id']}/reversals", amount=str(amount))
