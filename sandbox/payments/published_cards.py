"""Stripe's published test cards and their behaviour (docs: "Testing")."""

from dataclasses import dataclass

from sandbox.payments.declines import (
    CVC_INCORRECT,
    EXPIRED,
    GENERIC,
    INSUFFICIENT_FUNDS,
    LOST,
    PROCESSING_ERROR,
    RADAR_BLOCK,
    STOLEN,
    VELOCITY,
    Decline,
)

NO_CHALLENGE, ALWAYS, UNLESS_SET_UP, LOOKUP_FAILS = "none", "always", "unless_set_up", "lookup_fails"
# Challenged only in on-session payments, because it counts as set up for off-session use; or only at the seller's
# request.
ON_SESSION, IF_REQUESTED = "on_session", "if_requested"
REFUND_AT_ONCE, REFUND_PENDING, REFUND_FAILS = "at_once", "pending", "fails"
CHARGEBACK, INQUIRY, COMPLIANCE = "chargeback", "inquiry", "compliance"
NORMAL_RISK, ELEVATED_RISK, HIGHEST_RISK = "normal", "elevated", "highest"
PASS, FAIL, UNAVAILABLE = "pass", "fail", "unavailable"
# The results of 3-D Secure without a challenge.
FRICTIONLESS, THREE_D_SECURE_ERROR = "frictionless", "processing_error"
VISA_EVIDENCE_3 = "visa_compelling_evidence_3"
VISA_COMPLIANCE = "visa_compliance"


@dataclass(frozen=True)
class PublishedCard:
    """One test card. `alias` is the part after `pm_card_` (and `tok_`).

    The checks are the bank's results for the details that were given; `disputes` is how many follow a payment.
    """

    number: str
    alias: str
    about: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    challenge: str = NO_CHALLENGE
    refund: str = REFUND_AT_ONCE
    is_available_at_once: bool = False
    can_attach: bool = True
    cvc_check: str = PASS
    line1_check: str = PASS
    postal_code_check: str = PASS
    risk: str = NORMAL_RISK
    passive_authentication: str = ""
    disputes: int = 0
    dispute_reason: str = ""
    dispute_case: str = CHARGEBACK
    dispute_eligibility: str = ""
    is_reported_as_fraud: bool = False


def _plain(number: str, alias: str, brand: str, funding: str = "credit", country: str = "US") -> PublishedCard:
    about = f"succeeds ({brand} {funding}, {country})"
    return PublishedCard(number, alias, about, brand=brand, funding=funding, country=country)


def _declined(number: str, alias: str, decline: Decline, about: str = "", *, can_attach: bool = False) -> PublishedCard:
    return PublishedCard(number, alias, about or decline.message, decline=decline, can_attach=can_attach)


def _challenged(number: str, alias: str, about: str, challenge: str, decline: Decline | None = None) -> PublishedCard:
    return PublishedCard(number, alias, about, challenge=challenge, decline=decline)


SUCCESSFUL = (
    _plain("4242424242424242", "visa", "visa"),
    _plain("4000056655665556", "visa_debit", "visa", "debit"),
    _plain("5555555555554444", "mastercard", "mastercard"),
    _plain("2223003122003222", "mastercard_2", "mastercard"),
    _plain("5200828282828210", "mastercard_debit", "mastercard", "debit"),
    _plain("5105105105105100", "mastercard_prepaid", "mastercard", "prepaid"),
    _plain("378282246310005", "amex", "amex"),
    _plain("371449635398431", "amex_2", "amex"),
    _plain("6011111111111117", "discover", "discover"),
    _plain("6011000990139424", "discover_2", "discover"),
    _plain("3056930009020004", "diners", "diners"),
    _plain("36227206271667", "diners_2", "diners"),
    _plain("3566002020360505", "jcb", "jcb"),
    _plain("6200000000000005", "unionpay", "unionpay"),
    _plain("4000008260000000", "gb", "visa", country="GB"),
    _plain("4000058260000005", "gb_debit", "visa", "debit", "GB"),
    _plain("5555558265554449", "gb_mastercard", "mastercard", country="GB"),
    _plain("4000003720000005", "ie", "visa", country="IE"),
    _plain("4000002500000003", "fr", "visa", country="FR"),
    _plain("4000002760000016", "de", "visa", country="DE"),
    _plain("4000001240000000", "ca", "visa", country="CA"),
    _plain("4000000360000006", "au", "visa", country="AU"),
    _plain("4000003560000008", "in", "visa", country="IN"),
    _plain("4000003920000003", "jp", "visa", country="JP"),
    _plain("4000000760000002", "br", "visa", country="BR"),
    _plain("4000004840008001", "mx", "visa", country="MX"),
)
DECLINED = (
    _declined("4000000000000002", "visa_chargeDeclined", GENERIC, "declined, no reason given"),
    _declined("4000000000009995", "visa_chargeDeclinedInsufficientFunds", INSUFFICIENT_FUNDS),
    _declined("4000000000009987", "visa_chargeDeclinedLostCard", LOST, "declined: lost card"),
    _declined("4000000000009979", "visa_chargeDeclinedStolenCard", STOLEN, "declined: stolen card"),
    _declined("4000000000000069", "chargeDeclinedExpiredCard", EXPIRED),
    _declined("4000000000000127", "chargeDeclinedIncorrectCvc", CVC_INCORRECT),
    _declined("4000000000000119", "chargeDeclinedProcessingError", PROCESSING_ERROR),
    _declined("4000000000006975", "visa_chargeDeclinedVelocityLimitExceeded", VELOCITY, "declined: too many tries"),
    _declined("4000000000000341", "chargeCustomerFail", GENERIC, "saves, then declines", can_attach=True),
    _declined("4100000000000019", "radarBlock", RADAR_BLOCK, "blocked as highest risk"),
)
CHALLENGED = (
    _challenged("4000002500003155", "authenticationRequiredOnSetup", "3-D Secure unless set up", UNLESS_SET_UP),
    _challenged("4000002760003184", "authenticationRequired", "3-D Secure always", ALWAYS),
    _challenged("4000003800000446", "authenticationRequiredSetupForOffSession", "3-D Secure on session", ON_SESSION),
    _challenged("4000000000003220", "threeDSecure2Required", "3-D Secure 2 required", ALWAYS),
    _challenged("4000000000003063", "threeDSecureRequired", "3-D Secure required", ALWAYS),
    _challenged(
        "4000008260003178",
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "3-D Secure, then insufficient funds",
        ALWAYS,
        INSUFFICIENT_FUNDS,
    ),
    _challenged("4000008400001629", "threeDSecureRequiredChargeDeclined", "3-D Secure, then declined", ALWAYS, GENERIC),
    _challenged("4000008400001280", "threeDSecureRequiredProcessingError", "3-D Secure fails", LOOKUP_FAILS, GENERIC),
    _challenged("4000000000003055", "threeDSecureOptional", "3-D Secure supported, not asked for", IF_REQUESTED),
    PublishedCard("4000000000003097", "threeDSecureOptionalProcessingError", "3-D Secure error, charge succeeds",
                  passive_authentication=THREE_D_SECURE_ERROR),
    PublishedCard("4000032200000000", "threeDSecureFrictionless", "3-D Secure without a challenge",
                  passive_authentication=FRICTIONLESS),
)  # fmt: skip
AFTERWARDS = (
    PublishedCard("4000000000007726", "pendingRefund", "refund pending, then succeeds", refund=REFUND_PENDING),
    PublishedCard("4000000000005126", "refundFail", "refund fails afterwards", refund=REFUND_FAILS),
    PublishedCard("4000000000000077", "bypassPending", "funds available at once", is_available_at_once=True),
    PublishedCard("4000003720000278", "bypassPendingInternational", "funds available at once (IE)", country="IE",
                  is_available_at_once=True),
    PublishedCard("4000000000000259", "createDispute", "disputed as fraudulent", disputes=1,
                  dispute_reason="fraudulent"),
    PublishedCard("4000000000002685", "createDisputeProductNotReceived", "disputed as not received", disputes=1,
                  dispute_reason="product_not_received"),
    PublishedCard("4000000000001976", "createDisputeInquiry", "inquiry", disputes=1, dispute_reason="general",
                  dispute_case=INQUIRY),
    PublishedCard("4000000000005423", "createIssuerFraudRecord", "early fraud warning", is_reported_as_fraud=True),
    PublishedCard("4000000404000079", "createMultipleDisputes", "disputed twice", disputes=2,
                  dispute_reason="fraudulent"),
    PublishedCard("4000000404000038", "createCe3EligibleDispute", "dispute, compelling evidence 3.0", disputes=1,
                  dispute_reason="fraudulent", dispute_eligibility=VISA_EVIDENCE_3),
    PublishedCard("4000008400000779", "createComplianceDispute", "compliance dispute", disputes=1,
                  dispute_reason="noncompliant", dispute_case=COMPLIANCE, dispute_eligibility=VISA_COMPLIANCE),
    PublishedCard("4000000000009235", "riskLevelElevated", "elevated risk, succeeds", risk=ELEVATED_RISK),
    PublishedCard("4000000000004954", "riskLevelHighest", "highest risk, succeeds without a rule", risk=HIGHEST_RISK),
    PublishedCard("4000000000000101", "cvcCheckFail", "CVC check fails, succeeds", cvc_check=FAIL),
    PublishedCard("4000000000000036", "avsZipFail", "postcode check fails, succeeds", postal_code_check=FAIL),
    PublishedCard("4000000000000028", "avsLine1Fail", "address check fails, succeeds", line1_check=FAIL),
    PublishedCard("4000000000000010", "avsFail", "address and postcode checks fail, succeeds", line1_check=FAIL,
                  postal_code_check=FAIL),
    PublishedCard("4000000000000044", "avsUnchecked", "checks unavailable, succeeds", line1_check=UNAVAILABLE,
                  postal_code_check=UNAVAILABLE),
    PublishedCard("4000058400307872", "cvcCheckFailElevatedRisk", "CVC check fails, elevated risk, succeeds",
                  cvc_check=FAIL, risk=ELEVATED_RISK),
    PublishedCard("4000058400306072", "avsZipFailElevatedRisk", "postcode check fails, elevated risk, succeeds",
                  postal_code_check=FAIL, risk=ELEVATED_RISK),
)  # fmt: skip
GROUPS = (
    ("Succeed", SUCCESSFUL),
    ("Declined", DECLINED),
    ("Require 3-D Secure", CHALLENGED),
    ("Succeed, with later or special effects", AFTERWARDS),
)
BY_NUMBER = {card.number: card for _, group in GROUPS for card in group}
BY_ALIAS = {card.alias: card for card in BY_NUMBER.values()}
# Stripe publishes the cards with special behaviour with and without the brand: tok_visa_createDispute and
# tok_createDispute.
BY_ALIAS |= {
    alias.removeprefix("visa_") if alias.startswith("visa_") else f"visa_{alias}": card
    for alias, card in list(BY_ALIAS.items())
    if card not in SUCCESSFUL
}
