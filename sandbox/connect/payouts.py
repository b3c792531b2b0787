"""Payouts: money from an account to its bank, and back if the bank refuses it (docs: "Payouts").

A payout is pending until the next midnight UTC, then in transit, and on its arrival date paid or failed, as the
published number of its bank account says.
"""

from sandbox import clock, identifiers, schedule, store
from sandbox.connect.accounts import changing
from sandbox.connect.external_accounts import ERRORED, bank_accounts_of, default_bank, mark_errored
from sandbox.connect.published_banks import COULD_NOT_PROCESS, FAILURES, BankFailure
from sandbox.payments.balance import DAY, available_minor, record_movement
from sandbox.protocol.errors import ApiError, no_such, unexpected_state
from sandbox.protocol.parameters import merge_metadata
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

TRANSIT_DAYS = 2
INSUFFICIENT = (
    "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You can use "
    "the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance)."
)
_ON_ITS_WAY = ("pending", "in_transit")


def create_payout(  # noqa: PLR0913 -- what a caller may say of a payout
    *,
    amount: int,
    currency: str,
    destination: str | None = None,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
    statement_descriptor: str | None = None,
    source_type: str = "card",
    is_automatic: bool = False,
) -> Body:
    """Send an amount in minor units from the acting account to its bank. Raises if it may not, or has too little."""
    account_id = store.acting_account()
    bank = _bank_for(account_id, currency, destination)
    if available_minor(currency) < amount:
        raise unexpected_state(INSUFFICIENT, code="balance_insufficient")
    payout = _build(amount, currency, bank["id"]) | {
        "automatic": is_automatic,
        "description": description or ("STRIPE PAYOUT" if is_automatic else None),
        "metadata": metadata or {},
        "reconciliation_status": "in_progress" if is_automatic else "not_applicable",
        "source_type": source_type,
        "statement_descriptor": statement_descriptor,
    }
    movement = _move(payout, "payout", -amount)
    payout["balance_transaction"] = movement["id"]
    store.insert(payout)
    emit("payout.created", payout, is_automatic=is_automatic)
    schedule.schedule("send_payout", payout["id"], at=(clock.now() // DAY + 1) * DAY)
    return payout


def _bank_for(account_id: str, currency: str, destination: str | None) -> Body:
    account = store.fetch("account", account_id)
    if not account["payouts_enabled"]:
        raise unexpected_state("Payouts have been disabled on this account.", code="payouts_not_allowed")
    if destination:
        banks = {bank["id"]: bank for bank in bank_accounts_of(account_id)}
        if destination not in banks:
            raise no_such("external account", destination, param="destination")
        bank: Body | None = banks[destination]
    else:
        bank = default_bank(account_id, currency)
    if bank is None or bank["currency"] != currency:
        raise ApiError(
            f"Sorry, you don't have any external accounts in that currency ({currency}).",
            param="currency",
            is_executed=True,
        )
    if bank["status"] == ERRORED:
        raise unexpected_state(
            f"Payouts to {bank['id']} are disabled because an earlier one failed. Update its details first.",
            code="payouts_not_allowed",
        )
    return bank


def _build(amount: int, currency: str, destination: str) -> Body:
    return {
        "id": identifiers.new_id("po_1", 23),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": (clock.now() // DAY + TRANSIT_DAYS) * DAY,
        "automatic": False,
        "balance_transaction": None,
        "created": clock.now(),
        "currency": currency,
        "description": None,
        "destination": destination,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
    }


def _move(payout: Body, kind: str, amount_minor: int) -> Body:
    return record_movement(
        kind=kind,
        reporting_category="payout" if kind == "payout" else "payout_reversal",
        amount_minor=amount_minor,
        currency=payout["currency"],
        source=payout["id"],
        description=payout["description"],
        is_available=True,
    )


@step("send_payout")
def send_payout(payout_id: str) -> None:
    """Send a payout with the day's batch: it can no longer be canceled."""
    payout = store.fetch("payout", payout_id)
    if payout["status"] == "pending":
        payout |= {"status": "in_transit", "trace_id": {"status": "pending", "value": None}}
        store.save(payout)
        emit("payout.updated", payout, previous={"status": "pending", "trace_id": None}, is_automatic=True)
        schedule.schedule("land_payout", payout_id, at=payout["arrival_date"])


@step("land_payout")
def land_payout(payout_id: str) -> None:
    """Let a payout arrive or fail on its arrival date."""
    payout = store.fetch("payout", payout_id)
    if payout["status"] != "in_transit":
        return
    bank = store.find("bank_account", payout["destination"])
    failure = FAILURES.get((bank or {}).get("_number", ""))
    if failure:
        fail_payout(payout, failure)
    else:
        pay_payout_now(payout)


def pay_payout_now(payout: Body) -> Body:
    """Let a payout arrive at once; emits payout.paid, and for an automatic one its reconciliation."""
    with store.acting_for(store.owner_of(payout["id"])):
        if payout["status"] not in _ON_ITS_WAY:
            raise _wrong_state(payout, "paid")
        previous = {"status": payout["status"], "trace_id": payout["trace_id"]}
        payout |= {"status": "paid", "trace_id": {"status": "supported", "value": identifiers.digits(15)}}
        store.save(payout)
        emit("payout.paid", payout, previous=previous, is_automatic=True)
        if payout["automatic"]:
            payout["reconciliation_status"] = "completed"
            store.save(payout)
            before = {"reconciliation_status": "in_progress"}
            emit("payout.reconciliation_completed", payout, previous=before, is_automatic=True)
    return payout


def fail_payout(payout: Body, failure: BankFailure = COULD_NOT_PROCESS) -> Body:
    """Let the bank return a payout, even a paid one: the money comes back, the bank account is not used again.

    Emits payout.failed, account.external_account.updated and, as payouts stop, account.updated.
    """
    with store.acting_for(store.owner_of(payout["id"])):
        if payout["status"] not in (*_ON_ITS_WAY, "paid"):
            raise _wrong_state(payout, "failed")
        previous = {"status": payout["status"], "failure_code": None, "failure_message": None}
        previous["failure_balance_transaction"] = None
        movement = _move(payout, "payout_failure", payout["amount"])
        payout |= {
            "status": "failed",
            "failure_balance_transaction": movement["id"],
            "failure_code": failure.code,
            "failure_message": failure.message,
        }
        store.save(payout)
        emit("payout.failed", payout, previous=previous, is_automatic=True)
        bank = store.find("bank_account", payout["destination"])
        if bank and not bank.get("deleted"):
            with changing(store.acting_account(), is_automatic=True):
                mark_errored(bank)
    return payout


def cancel_payout(payout: Body) -> Body:
    """Cancel a payout that has not left yet; emits payout.canceled."""
    if payout["automatic"]:
        raise unexpected_state("You cannot cancel an automatic payout.", code="payouts_not_allowed")
    if payout["status"] != "pending":
        raise _wrong_state(payout, "canceled")
    movement = _move(payout, "payout_cancel", payout["amount"])
    payout |= {"status": "canceled", "failure_balance_transaction": movement["id"]}
    store.save(payout)
    schedule.unschedule("send_payout", payout["id"])
    emit("payout.canceled", payout, previous={"status": "pending", "failure_balance_transaction": None})
    return payout


def reverse_payout(payout: Body, metadata: dict[str, str]) -> Body:
    """Take a payout back from the bank with a payout of the negative amount; emits payout.created for that."""
    if payout["original_payout"] or payout["reversed_by"]:
        raise unexpected_state(f"Payout {payout['id']} has already been reversed.", code="payout_reversed")
    if payout["status"] not in ("in_transit", "paid"):
        raise _wrong_state(payout, "reversed")
    reversal = _build(-payout["amount"], payout["currency"], payout["destination"]) | {
        "metadata": metadata,
        "original_payout": payout["id"],
    }
    reversal["balance_transaction"] = _move(reversal, "payout", payout["amount"])["id"]
    store.insert(reversal)
    payout["reversed_by"] = reversal["id"]
    store.save(payout)
    emit("payout.created", reversal)
    emit("payout.updated", payout, previous={"reversed_by": None})
    schedule.schedule("send_payout", reversal["id"], at=(clock.now() // DAY + 1) * DAY)
    return reversal


def update_payout(payout: Body, metadata: dict[str, str] | None) -> Body:
    """Change a payout's metadata; emits payout.updated if that changes anything."""
    previous = {"metadata": payout["metadata"]}
    payout["metadata"] = merge_metadata(payout["metadata"], metadata)
    if payout["metadata"] != previous["metadata"]:
        store.save(payout)
        emit("payout.updated", payout, previous=previous)
    return payout


def _wrong_state(payout: Body, wanted: str) -> ApiError:
    return unexpected_state(
        f"Payout {payout['id']} cannot be {wanted} because it has a status of {payout['status']}.",
        code="payout_unexpected_state",
    )
