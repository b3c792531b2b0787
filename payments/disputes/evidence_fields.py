"""The fields of evidence that fit what is sold here, by Stripe's names (docs: "The Dispute object", evidence)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EvidenceField:
    """A field of Stripe's evidence: what staff call it, and what belongs there."""

    name: str
    label: str
    help: str = ""
    is_short: bool = False


TEXTS: Final = (
    EvidenceField("product_description", "What was bought", "What the student bought, and how it was described."),
    EvidenceField("service_date", "When it took place", "The date on which the student received it.", is_short=True),
    EvidenceField("customer_name", "Student's name", is_short=True),
    EvidenceField("customer_email_address", "Student's email address", is_short=True),
    EvidenceField("customer_purchase_ip", "Network address of the purchase", "If you know it.", is_short=True),
    EvidenceField("billing_address", "Billing address", "If you know it."),
    EvidenceField(
        "access_activity_log",
        "What the student received and used",
        "When it was delivered, which emails were sent, and when the student used it.",
    ),
    EvidenceField("refund_policy_disclosure", "How the refund policy was shown", "Before the student paid."),
    EvidenceField("refund_refusal_explanation", "Why no refund is due", "Or what was refunded already."),
    EvidenceField("cancellation_policy_disclosure", "How the cancellation policy was shown"),
    EvidenceField("duplicate_charge_explanation", "Why this is no duplicate", "If two payments are confused."),
    EvidenceField("uncategorized_text", "Anything else", "The summary that the bank reads first."),
)
FILES: Final = (
    EvidenceField("receipt", "Receipt"),
    EvidenceField("customer_communication", "Messages with the student"),
    EvidenceField("service_documentation", "Proof that it took place", "Attendance, participants, progress."),
    EvidenceField("refund_policy", "Refund policy"),
    EvidenceField("cancellation_policy", "Cancellation policy"),
    EvidenceField("duplicate_charge_documentation", "Proof of the other payment"),
    EvidenceField("uncategorized_file", "Another file"),
)
TEXT_NAMES: Final = frozenset(field.name for field in TEXTS)

# Characters (docs: "Dispute evidence", combined character count).
LONGEST_TEXT: Final = 20_000
LONGEST_TOGETHER: Final = 150_000
# Bytes of all files together (docs: "Respond to disputes"); cards' networks refuse more.
LARGEST_TOGETHER: Final = 4_500_000
