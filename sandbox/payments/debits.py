"""The bank's answer to a debit, days later in life and seconds later here."""

from sandbox import store
from sandbox.payments import charges
from sandbox.payments.intents import Attempt
from sandbox.payments.methods import iban_behaviour
from sandbox.protocol.resource import presented
from sandbox.store import Body
from sandbox.webhooks.events import emit

FAILURE_CODE = "insufficient_funds"
FAILURE_MESSAGE = "The customer's account has insufficient funds to cover this payment."


def answer_debit(intent: Body) -> Attempt:
    """Let a processing intent succeed or fail, as its test IBAN says."""
    method = store.fetch("payment_method", intent["payment_method"])
    charge = store.fetch("charge", intent["latest_charge"])
    if iban_behaviour(method).succeeds:
        _succeed(intent, charge)
    else:
        _fail(intent, charge, method)
    return Attempt(intent)


def _succeed(intent: Body, charge: Body) -> None:
    charges.mark_succeeded(charge, amount_captured=charge["amount"])
    store.save(charge)
    emit("charge.succeeded", charge, is_automatic=True)
    charges.settle_later(charge)
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "processing": None}
    store.save(intent)
    emit("payment_intent.succeeded", intent, is_automatic=True)


def _fail(intent: Body, charge: Body, method: Body) -> None:
    charge |= {"status": "failed", "failure_code": FAILURE_CODE, "failure_message": FAILURE_MESSAGE}
    charge["outcome"] |= {
        "network_status": "declined_by_network",
        "reason": FAILURE_CODE,
        "seller_message": FAILURE_MESSAGE,
        "type": "issuer_declined",
    }
    store.save(charge)
    emit("charge.failed", charge, is_automatic=True)
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": {
            "charge": charge["id"],
            "code": FAILURE_CODE,
            "message": FAILURE_MESSAGE,
            "payment_method": presented(method),
            "type": "card_error",
        },
    }
    store.save(intent)
    emit("payment_intent.payment_failed", intent, is_automatic=True)
