"""Bank debits: accepted now, answered by the bank days later at Stripe and seconds later here."""

from typing import Any

from sandbox import clock, schedule, store
from sandbox.options import options
from sandbox.payments import charges
from sandbox.payments.attempts import Attempt
from sandbox.payments.followers import call_followers
from sandbox.payments.mandates import create_mandate
from sandbox.payments.methods import account_behaviour
from sandbox.payments.published_accounts import Refusal
from sandbox.payments.saving import mark_attached
from sandbox.protocol.resource import presented
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

DAY = 24 * 3600


def start_debit(intent: Body, method: Body, *, usage: str | None, acceptance: Body | None = None) -> Attempt:
    """Start a debit (docs: "SEPA Direct Debit payments", "ACH Direct Debit").

    If an ACH account must be verified by microdeposits, that is requested first.
    """
    if needs_microdeposits(intent, method):
        return request_microdeposits(intent, acceptance)
    once = {"amount": intent["amount"], "currency": intent["currency"]}
    mandate = create_mandate(method, single_use=None if usage else once, acceptance=acceptance)
    charge = charges.build_charge(intent, method)
    if mandate:
        charge["payment_method_details"][method["type"]]["mandate"] = mandate["id"]
    charges.stored(charge)
    intent |= {"status": "processing", "latest_charge": charge["id"], "last_payment_error": None, "next_action": None}
    store.save(intent)
    emit("payment_intent.processing", intent)
    emit("charge.pending", charge)
    if usage and intent["customer"]:
        mark_attached(method, intent["customer"])
    elif not method["customer"]:
        store.save(method | {"_is_used_up": True})
    account = account_behaviour(method)
    if not account.never_answers:
        schedule.schedule("answer_debit", intent["id"], after=options().async_delay + account.extra_delay)
    return Attempt(intent)


def needs_microdeposits(intent: Body, method: Body) -> bool:
    """Whether the account must be verified by microdeposits; by default the sandbox verifies it immediately."""
    wanted = (intent["payment_method_options"].get("us_bank_account") or {}).get("verification_method")
    return method["type"] == "us_bank_account" and wanted == "microdeposits" and not method.get("_is_verified")


def request_microdeposits(intent: Body, acceptance: Body | None) -> Attempt:
    """Require the buyer to enter the amounts or the code of two microdeposits."""
    kind = intent["object"]
    action: dict[str, Any] = {
        "arrival_date": clock.now() // DAY * DAY + 2 * DAY,
        "hosted_verification_url": f"{options().public_url}/microdeposits/{intent['id']}",
        "microdeposit_type": "descriptor_code",
    }
    intent |= {
        "status": "requires_action",
        "next_action": {"type": "verify_with_microdeposits", "verify_with_microdeposits": action},
        "_acceptance": acceptance,
    }
    store.save(intent)
    emit(f"{kind}.requires_action", intent)
    return Attempt(intent)


@step("answer_debit")
def bank_answers(intent_id: str) -> None:
    """Apply the bank's answer to the intent, then call the intent's followers."""
    intent = store.fetch("payment_intent", intent_id)
    if intent["status"] == "processing":
        call_followers(answer_debit(intent).intent)


def answer_debit(intent: Body) -> Attempt:
    """Complete a processing intent; its bank account decides whether it succeeds."""
    method = store.fetch("payment_method", intent["payment_method"])
    charge = store.fetch("charge", intent["latest_charge"])
    refusal = account_behaviour(method).refusal
    if refusal is None:
        _succeed(intent, charge)
    else:
        _fail(intent, charge, method, refusal)
    return Attempt(intent)


def _succeed(intent: Body, charge: Body) -> None:
    charges.mark_succeeded(charge, amount_captured=charge["amount"])
    store.save(charge)
    emit("charge.succeeded", charge, is_automatic=True)
    charges.settle_later(charge)
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "processing": None}
    store.save(intent)
    emit("payment_intent.succeeded", intent, is_automatic=True)


def _fail(intent: Body, charge: Body, method: Body, refusal: Refusal) -> None:
    charge |= {"status": "failed", "failure_code": refusal.code, "failure_message": refusal.message}
    charge["outcome"] |= {
        "network_status": "declined_by_network",
        "reason": refusal.code,
        "seller_message": refusal.message,
        "type": "issuer_declined",
    }
    store.save(charge)
    emit("charge.failed", charge, is_automatic=True)
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": {
            "charge": charge["id"],
            "code": refusal.error_code or refusal.code,
            "message": refusal.message,
            "payment_method": presented(method),
            "type": "card_error" if method["type"] == "sepa_debit" else "invalid_request_error",
        },
    }
    store.save(intent)
    emit("payment_intent.payment_failed", intent, is_automatic=True)
