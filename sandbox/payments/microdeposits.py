"""Verify a bank account by two microdeposits, with the amounts and codes that Stripe publishes for testing."""

from sandbox import store
from sandbox.payments.attempts import Attempt
from sandbox.payments.debits import start_debit
from sandbox.payments.intents import future_usage
from sandbox.payments.setups import verify_setup
from sandbox.protocol.errors import ApiError, missing_parameter, unexpected_state
from sandbox.store import Body

RIGHT_AMOUNTS, RIGHT_CODE = [32, 45], "SM11AA"
TOO_MANY_AMOUNTS, TOO_MANY_CODE = [10, 11], "SM33CC"


def verify(intent: Body, *, amounts: list[int] | None, descriptor_code: str | None) -> Attempt:
    """Check the amounts or the code from the bank statement, and continue. Raises a 400 if wrong or not requested."""
    if not amounts and not descriptor_code:
        raise missing_parameter("descriptor_code")
    action = intent["next_action"] or {}
    if action.get("type") != "verify_with_microdeposits":
        name = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        raise unexpected_state(
            f"You cannot verify microdeposits on this {name} because it has a status of {intent['status']} and is "
            "not waiting for them.",
            code=f"{intent['object']}_unexpected_state",
            details={intent["object"]: intent},
        )
    if amounts == TOO_MANY_AMOUNTS or descriptor_code == TOO_MANY_CODE:
        raise ApiError(
            "You have exceeded the number of allowed verification attempts.",
            code="payment_method_microdeposit_verification_attempts_exceeded",
            is_executed=True,
        )
    if sorted(amounts or []) != RIGHT_AMOUNTS and descriptor_code != RIGHT_CODE:
        of_what = "amounts" if amounts else "descriptor_code"
        raise ApiError(
            "The microdeposits provided do not match those sent to the bank account.",
            code=f"payment_method_microdeposit_verification_{of_what}_mismatch",
            is_executed=True,
        )
    return _continue(intent)


def _continue(intent: Body) -> Attempt:
    if intent["object"] == "setup_intent":
        return verify_setup(intent)
    method = store.fetch("payment_method", intent["payment_method"])
    method["_is_verified"] = True
    store.save(method)
    return start_debit(intent, method, usage=future_usage(intent, method), acceptance=intent.pop("_acceptance", None))
