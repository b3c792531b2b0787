"""Evidence of a dispute: its fields, its initial values, and the programmes a dispute may be eligible for."""

from collections.abc import Mapping
from typing import Any

from sandbox import store
from sandbox.payments.published_cards import VISA_COMPLIANCE, VISA_EVIDENCE_3
from sandbox.protocol.errors import ApiError, no_such
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body

FILE_FIELDS = (
    "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation",
    "receipt", "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
)  # fmt: skip
TEXT_FIELDS = (
    "access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal",
    "customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation",
    "service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number",
    "uncategorized_text",
)  # fmt: skip
LONGEST_TEXT, LONGEST_TOGETHER = 20_000, 150_000
# The fields by which Visa matches transactions of the same buyer (docs: "Visa Compelling Evidence 3.0").
_IDENTIFIERS = (
    "customer_account_id", "customer_device_fingerprint", "customer_device_id", "customer_email_address",
    "customer_purchase_ip", "shipping_address",
)  # fmt: skip
_PRIOR_FIELDS = (*_IDENTIFIERS, "product_description")
_DISPUTED_FIELDS = (*_PRIOR_FIELDS, "merchandise_or_services")
PRIOR_TRANSACTIONS = 2


def initial_evidence(charge: Body, eligibility: str) -> Body:
    """The evidence of a new dispute: the buyer's data from the payment; all other fields are empty."""
    billing = charge["billing_details"]
    known = {
        "billing_address": _written(billing["address"]),
        "customer_email_address": billing["email"] or charge["receipt_email"],
        "customer_name": billing["name"],
    }
    enhanced: Body = {}
    if eligibility == VISA_EVIDENCE_3:
        enhanced[VISA_EVIDENCE_3] = {"disputed_transaction": None, "prior_undisputed_transactions": []}
    if eligibility == VISA_COMPLIANCE:
        enhanced[VISA_COMPLIANCE] = {"fee_acknowledged": False}
    return dict.fromkeys((*FILE_FIELDS, *TEXT_FIELDS)) | known | {"enhanced_evidence": enhanced}


def _written(address: Mapping[str, str | None]) -> str | None:
    place = [address[part] for part in ("city", "state", "postal_code", "country") if address[part]]
    lines = [address["line1"], address["line2"], ", ".join(str(part) for part in place)]
    return "\n".join(line for line in lines if line) or None


def merge_evidence(dispute: Body, given: Mapping[str, Any]) -> Body:
    """Add evidence to a dispute; returns the old values of the changed fields.

    Raises a 400 if a file is missing or has another purpose, or if all texts together are too long.
    """
    for field in FILE_FIELDS:
        if given.get(field):
            _check_file(given[field], f"evidence[{field}]")
    evidence = dispute["evidence"]
    changed = {field: value for field, value in given.items() if field != "enhanced_evidence"}
    previous = {field: evidence[field] for field, value in changed.items() if evidence[field] != value}
    merged = evidence | changed
    if sum(len(merged[field] or "") for field in TEXT_FIELDS) > LONGEST_TOGETHER:
        raise ApiError(
            f"The combined character count of all evidence fields is limited to {LONGEST_TOGETHER:,}.", param="evidence"
        )
    if given.get("enhanced_evidence"):
        previous["enhanced_evidence"] = evidence["enhanced_evidence"]
        merged["enhanced_evidence"] = _merge_enhanced(dispute, given["enhanced_evidence"])
    dispute["evidence"] = merged
    return previous


def _check_file(file_id: str, param: str) -> None:
    file = store.find("file", file_id)
    if file is None:
        raise no_such("file upload", file_id, param=param)
    if file["purpose"] != "dispute_evidence":
        raise ApiError(
            f"The file {file_id} has the purpose {file['purpose']}; evidence takes files with the purpose "
            "dispute_evidence.",
            param=param,
        )


def _merge_enhanced(dispute: Body, given: Mapping[str, Any]) -> Body:
    enhanced = dict(dispute["evidence"]["enhanced_evidence"])
    for programme, values in given.items():
        if programme not in dispute["enhanced_eligibility_types"]:
            raise ApiError(
                f"This dispute is not eligible for {programme}.", param=f"evidence[enhanced_evidence][{programme}]"
            )
        for prior in values.get("prior_undisputed_transactions", ()):
            fetch_from_parameter("charge", prior["charge"], param=f"evidence[enhanced_evidence][{programme}]")
        enhanced[programme] = enhanced[programme] | values
    if VISA_EVIDENCE_3 in enhanced:
        enhanced[VISA_EVIDENCE_3] = _every_field(enhanced[VISA_EVIDENCE_3])
    return enhanced


def _every_field(given: Mapping[str, Any]) -> Body:
    disputed = given["disputed_transaction"]
    return {
        "disputed_transaction": disputed and dict.fromkeys(_DISPUTED_FIELDS) | _with_address(disputed),
        "prior_undisputed_transactions": [
            dict.fromkeys(_PRIOR_FIELDS) | _with_address(prior) for prior in given["prior_undisputed_transactions"]
        ],
    }


def _with_address(transaction: Mapping[str, Any]) -> Body:
    address = transaction.get("shipping_address")
    parts = ("city", "country", "line1", "line2", "postal_code", "state")
    return dict(transaction) | {"shipping_address": dict.fromkeys(parts) | address if address else None}


def enhanced_eligibility(evidence: Body) -> Body:
    """The status of a dispute in each programme for which it is eligible."""
    found: Body = {}
    enhanced = evidence["enhanced_evidence"]
    if VISA_COMPLIANCE in enhanced:
        is_acknowledged = enhanced[VISA_COMPLIANCE]["fee_acknowledged"]
        found[VISA_COMPLIANCE] = {"status": "fee_acknowledged" if is_acknowledged else "requires_fee_acknowledgement"}
    if VISA_EVIDENCE_3 in enhanced:
        missing = _missing(enhanced[VISA_EVIDENCE_3])
        status = "requires_action" if missing else "qualified"
        found[VISA_EVIDENCE_3] = {"required_actions": missing, "status": status}
    return found


def _missing(given: Body) -> list[str]:
    disputed = given["disputed_transaction"] or {}
    priors = given["prior_undisputed_transactions"]
    identifiers_given = [name for name in _IDENTIFIERS if disputed.get(name)]
    is_same_buyer = bool(identifiers_given) and all(
        any(prior.get(name) for name in identifiers_given) for prior in priors
    )
    missing = {
        "missing_customer_identifiers": not is_same_buyer,
        "missing_disputed_transaction_description": not disputed.get("product_description"),
        "missing_merchandise_or_services": not disputed.get("merchandise_or_services"),
        "missing_prior_undisputed_transaction_description": not priors
        or not all(prior.get("product_description") for prior in priors),
        "missing_prior_undisputed_transactions": len(priors) < PRIOR_TRANSACTIONS,
    }
    return [action for action, is_missing in missing.items() if is_missing]
