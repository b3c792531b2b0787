"""What staff do about the alerts of payments, and on which page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from django.urls import NoReverseMatch, reverse

from notifications.advice import Advice


def _row(model: str) -> Callable[[str], str]:
    """The page of the row whose primary key follows the kind."""

    def page(about: str) -> str:
        try:
            return reverse(f"admin:payments_{model}_change", args=[int(about)])
        except (ValueError, NoReverseMatch):
            return ""

    return page


def _found(model: str) -> Callable[[str], str]:
    """The list, searched for what follows the kind: an order's number, an id of Stripe's, a payout's reference."""
    return lambda about: f"{reverse(f'admin:payments_{model}_changelist')}?q={quote(about)}"


def _list(model: str, query: str = "") -> Callable[[str], str]:
    return lambda _about: f"{reverse(f'admin:payments_{model}_changelist')}{query}"


_PARKED: Final = "?state__exact=parked"
_RETRY: Final = "Read the last error, solve its cause, then choose “Retry now” in the list."
ADVICE: Final[Mapping[str, Advice]] = {
    # Orders and payments
    "cannot-deliver": Advice(
        "The student has been told and gets the money back by itself. Check that the refund succeeds; find out why it was sold.",
        _found("order"),
    ),
    "paid-twice": Advice("The second payment is refunded by itself. Check that the refund succeeds.", _row("payment")),
    "payment-parked": Advice(
        "Look at the payment at Stripe. If it is paid there, choose “Retry now” in the list; if Stripe does not know it, tell the operator.",
        _list("payment", _PARKED),
    ),
    "charge-lookup-parked": Advice(_RETRY, _list("chargelookup", _PARKED)),
    "customer-parked": Advice(_RETRY, _row("customer")),
    "sessions-unknown": Advice(
        "Check that the Stripe keys in the settings belong to the account that takes this site's payments.",
        _list("payment"),
    ),
    "stripe-key-of-another-account": Advice(
        "Set the Stripe key of this site's own account. Until then nothing is sent to Stripe."
    ),
    # Refunds
    "refund-to-allocate": Advice("Say which lines the refund belongs to, so that the teachers' shares are right."),
    "refund-failed": Advice("Unless the student has the money by now, make the refund again, or pay them another way."),
    "refund-parked": Advice(_RETRY, _list("refund", _PARKED)),
    "refund-waits-for-balance": Advice(
        "Top up the platform's balance at Stripe. Stripe sends the refund by itself after that.", _row("refund")
    ),
    "refund-keeps-access": Advice(
        "Decide whether the student keeps it. If not, choose “Take back” on the order's page."
    ),
    "refund-after-dispute": Advice("Refund it on the order's page, or pay the student another way.", _list("order")),
    "line-cancellation-parked": Advice(_RETRY, _list("linecancellation", _PARKED)),
    # Disputes
    "fraud-warning": Advice("Refund it now, before it becomes a dispute with its fee, unless you know the student."),
    "dispute-to-answer": Advice("Send evidence, or accept the dispute. Without an answer it is lost."),
    "dispute-due-soon": Advice("Answer it now. Without an answer it is lost."),
    "dispute-lost": Advice(
        "Nothing can be done about it. Read the page to learn what it cost whom, then clear the alert."
    ),
    "dispute-answer-refused": Advice("Read what Stripe says, correct the answer, and send it again."),
    "dispute-answer-parked": Advice(_RETRY, _list("disputeanswer", _PARKED)),
    # Teachers' money
    "earning-not-matured": Advice("Tell the operator: the books refuse it.", _list("earning")),
    "payouts-waiting": Advice("Approve or decline the payouts.", _list("payout", "?status__exact=requested")),
    "payout-failed": Advice(
        "Read Stripe's reason. The teacher can request it again once that is solved.", _found("payout")
    ),
    "payout-balance-low": Advice(
        "Top up the platform's balance at Stripe. The payout is sent by itself after that.",
        _list("payout", "?status__exact=approved"),
    ),
    "payout-recreated": Advice("Check with the teacher that they got it, then clear the alert.", _found("payout")),
    "payout-paid-after-all": Advice(
        "The teacher may have it twice. Compare their balance with Stripe.", _found("payout")
    ),
    "payout-transfer-parked": Advice(_RETRY, _list("payouttransfer", _PARKED)),
    "payout-reversal-parked": Advice(_RETRY, _list("payoutreversal", _PARKED)),
    "payout-reversal-failed": Advice(
        "The money stays on the teacher's account. Agree with them how it comes back.", _row("payoutreversal")
    ),
    "payout-schedule": Advice("Tell the operator, with the time of the alert: the log has the error.", _list("payout")),
    "payout-owed": Advice("Ask the teacher to set up payouts, or pay them by bank transfer.", _list("payout")),
    "bank-payout-failed": Advice("Ask the teacher to check their bank details at Stripe.", _found("bankpayout")),
    "account-not-followed-up": Advice("Tell the operator, with the error.", _found("connectedaccount")),
    # Events and the books
    "webhook-event-parked": Advice(_RETRY, _list("webhookevent", _PARKED)),
    "webhook-refused": Advice(
        "Compare the signing secret in the settings with the one of the webhook in Stripe's Dashboard. Single refusals may"
        " be strangers who try.",
        _list("webhookevent"),
    ),
    "webhook-clock": Advice("Set the clock of the server: payments depend on it."),
    "event-unusable": Advice(
        "Tell the operator: Stripe sends something that Lectern cannot read.", _list("webhookevent")
    ),
    "transaction-unusable": Advice(
        "Tell the operator: the statement has something that Lectern cannot read.", _list("stripemovement")
    ),
    "mirror-sync-parked": Advice(f"No payment depends on it. {_RETRY}", _list("mirrorsync", _PARKED)),
    "reconciliation": Advice("Look at each open difference, and repair what the page offers.", _list("difference")),
    "reconciliation-parked": Advice(_RETRY, _list("reconciliationrun", _PARKED)),
}
