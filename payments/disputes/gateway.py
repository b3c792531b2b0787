"""Calls to Stripe about disputes, their evidence, and early fraud warnings. Takes and returns our own types.

Never called inside a transaction or under a lock. All raise StripeUnreachable or StripeRefused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from payments.disputes.stripe_objects import StripeDispute, StripeFraudWarning, read_dispute, read_fraud_warning
from payments.stripe_api import client, translated_errors

# With the intent expanded, its metadata says which payment of ours it is before the intent's id is stored.
_WITH_INTENT = ["payment_intent"]
_PURPOSE = "dispute_evidence"


def retrieve_dispute(dispute_id: str) -> StripeDispute:
    """The current state of a dispute and all its balance transactions."""
    params: Any = {"expand": _WITH_INTENT}
    with translated_errors():
        dispute = client().v1.disputes.retrieve(dispute_id, params)
    return read_dispute(dispute.to_dict())


def submit_evidence(dispute_id: str, evidence: Mapping[str, str], *, idempotency_key: str) -> StripeDispute:
    """Send the evidence to the bank, with the key in the dispute's metadata. It cannot be taken back."""
    params: Any = {
        "evidence": dict(evidence),
        "metadata": {"answer": idempotency_key},
        "submit": True,
        "expand": _WITH_INTENT,
    }
    with translated_errors():
        dispute = client().v1.disputes.update(dispute_id, params, {"idempotency_key": idempotency_key})
    return read_dispute(dispute.to_dict())


def accept_dispute(dispute_id: str, *, idempotency_key: str) -> StripeDispute:
    """Close the dispute as lost. It cannot be taken back."""
    params: Any = {"expand": _WITH_INTENT}
    with translated_errors():
        dispute = client().v1.disputes.close(dispute_id, params, {"idempotency_key": idempotency_key})
    return read_dispute(dispute.to_dict())


def upload_evidence_file(file: IO[bytes], *, idempotency_key: str) -> str:
    """Store a file at Stripe as evidence; returns its id. Its name there is that of the open file."""
    params: Any = {"purpose": _PURPOSE, "file": file}
    with translated_errors():
        stored = client().v1.files.create(params, {"idempotency_key": idempotency_key})
    return str(stored.id)


def retrieve_fraud_warning(warning_id: str) -> StripeFraudWarning:
    """The current state of an early fraud warning."""
    params: Any = {"expand": _WITH_INTENT}
    with translated_errors():
        warning = client().v1.radar.early_fraud_warnings.retrieve(warning_id, params)
    return read_fraud_warning(warning.to_dict())
