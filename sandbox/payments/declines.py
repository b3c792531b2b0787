"""Reasons for which a card is declined: codes, messages, advice codes (docs: "Decline codes")."""

from dataclasses import dataclass

NO_DETAILS = "The bank did not return any further details with this decline."
DECLINED_MESSAGE = "Your card was declined."


@dataclass(frozen=True)
class Decline:
    """`code` and `decline_code` are in the error that clients receive; `reason` is in the charge's outcome."""

    code: str
    decline_code: str
    message: str
    reason: str = ""
    param: str | None = None
    advice_code: str = "try_again_later"
    network_decline_code: str | None = None
    is_blocked: bool = False


GENERIC = Decline(
    "card_declined", "generic_decline", DECLINED_MESSAGE, reason="generic_decline", network_decline_code="01"
)
INSUFFICIENT_FUNDS = Decline(
    "card_declined",
    "insufficient_funds",
    "Your card has insufficient funds.",
    reason="insufficient_funds",
    network_decline_code="51",
)
LOST = Decline(
    "card_declined",
    "lost_card",
    DECLINED_MESSAGE,
    reason="lost_card",
    advice_code="do_not_try_again",
    network_decline_code="41",
)
STOLEN = Decline(
    "card_declined",
    "stolen_card",
    DECLINED_MESSAGE,
    reason="stolen_card",
    advice_code="do_not_try_again",
    network_decline_code="43",
)
EXPIRED = Decline(
    "expired_card",
    "expired_card",
    "Your card has expired.",
    reason="expired_card",
    param="exp_month",
    advice_code="do_not_try_again",
    network_decline_code="54",
)
CVC_INCORRECT = Decline(
    "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", reason="incorrect_cvc", param="cvc"
)
PROCESSING_ERROR = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    reason="processing_error",
)
VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    reason="card_velocity_exceeded",
)
RADAR_BLOCK = Decline("card_declined", "fraudulent", DECLINED_MESSAGE, reason="highest_risk_level", is_blocked=True)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    reason="authentication_required",
)
