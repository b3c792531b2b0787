"""What a student is told about a payment that did not go through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def message_for_student(error: Mapping[str, Any]) -> str:
    """Stripe's message if it is for cardholders, which is so only in card errors; the others are for developers."""
    if error.get("type") == "card_error" and error.get("message"):
        return str(error["message"])[:300]
    if error.get("code") == "payment_intent_authentication_failure":
        return "Your bank could not confirm that it was you. Please try again, or use another card."
    return "The payment did not go through."
