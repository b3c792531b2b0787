"""What staff decide about a dispute: gather evidence, send it, or accept the loss. A worker carries it to Stripe.

Both decisions are final, so each is written with who made it and why, and one at a time is under way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from payments.disputes.evidence_fields import LARGEST_TOGETHER, LONGEST_TEXT, LONGEST_TOGETHER, TEXT_NAMES
from payments.models import Dispute, DisputeAnswer, EvidenceDraft, EvidenceFile


class AnswerNotPossible(Exception):
    """The dispute takes no answer now, or not this one. The message is for staff."""


def save_draft(*, dispute_id: int, texts: Mapping[str, str], by_id: int) -> EvidenceDraft:
    """Keep the texts of the evidence. Nothing is sent. Raises AnswerNotPossible."""
    with transaction.atomic():
        dispute = _lock(dispute_id)
        _check_texts(texts)
        kept = {name: text.strip() for name, text in texts.items() if name in TEXT_NAMES and text.strip()}
        draft, _ = EvidenceDraft.objects.update_or_create(
            dispute=dispute, defaults={"texts": kept, "changed_by_id": by_id, "changed_at": timezone.now()}
        )
    return draft


def add_file(*, dispute_id: int, field: str, content: ContentFile[Any], by_id: int) -> EvidenceFile:
    """Keep a file that `read_evidence_file` returned; it replaces the field's present one. Raises AnswerNotPossible."""
    with transaction.atomic():
        dispute = _lock(dispute_id)
        others = dispute.evidence_files.exclude(field=field).aggregate(size=Sum("size"))["size"] or 0
        if others + content.size > LARGEST_TOGETHER:
            raise AnswerNotPossible("All files together may have 4.5 MB at most.")
        remove_file(dispute_id=dispute_id, field=field)
        return EvidenceFile.objects.create(
            dispute=dispute,
            field=field,
            file=content,
            name=content.name or "file",
            size=content.size,
            uploaded_by_id=by_id,
        )


def remove_file(*, dispute_id: int, field: str) -> None:
    """Remove the file of a field, if there is one. Raises AnswerNotPossible."""
    with transaction.atomic():
        for file in _lock(dispute_id).evidence_files.filter(field=field):
            file.delete()


def submit_evidence(*, dispute_id: int, by_id: int, seen: str, note: str = "") -> DisputeAnswer:
    """Queue the evidence for the bank. `seen` is the digest of what the member of staff has confirmed.

    Raises AnswerNotPossible if there is none, or if it has changed since.
    """
    with transaction.atomic():
        dispute = _lock(dispute_id)
        if seen != evidence_digest(dispute):
            raise AnswerNotPossible("The evidence has changed since you saw it. Read it again before you send it.")
        draft = EvidenceDraft.objects.filter(dispute=dispute).first()
        texts = draft.texts if draft else {}
        if not texts and not dispute.evidence_files.exists():
            raise AnswerNotPossible("There is no evidence yet: write it and save it first.")
        return _queue(dispute, DisputeAnswer.Kind.EVIDENCE, by_id=by_id, note=note, texts=texts)


def accept_dispute(*, dispute_id: int, by_id: int, note: str = "") -> DisputeAnswer:
    """Queue the acceptance of a dispute: it is lost at once. Raises AnswerNotPossible for an inquiry."""
    with transaction.atomic():
        dispute = _lock(dispute_id)
        if dispute.is_inquiry:
            raise AnswerNotPossible("An inquiry takes no money. To accept it, refund the order.")
        return _queue(dispute, DisputeAnswer.Kind.ACCEPTANCE, by_id=by_id, note=note, texts={})


def evidence_digest(dispute: Dispute) -> str:
    """The same for the same texts and files."""
    draft = EvidenceDraft.objects.filter(dispute=dispute).first()
    files = dispute.evidence_files.order_by("field").values_list("field", "idempotency_key")
    content = json.dumps([draft.texts if draft else {}, list(files)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def reason_against_answer(dispute: Dispute) -> str:
    """Why staff can neither change nor send an answer now; empty if they can."""
    if dispute.answers.filter(status=DisputeAnswer.Status.QUEUED).exists():
        return "An answer is being sent."
    if not dispute.needs_answer:
        return f"This dispute takes no answer: {dispute.status_text}."
    return ""


def _lock(dispute_id: int) -> Dispute:
    dispute = Dispute.objects.select_for_update(of=("self",)).select_related("payment").get(pk=dispute_id)
    if reason := reason_against_answer(dispute):
        raise AnswerNotPossible(reason)
    return dispute


def _check_texts(texts: Mapping[str, str]) -> None:
    if any(len(text) > LONGEST_TEXT for text in texts.values()):
        raise AnswerNotPossible(f"A text may have {LONGEST_TEXT:,} characters at most.")
    if sum(len(text) for text in texts.values()) > LONGEST_TOGETHER:
        raise AnswerNotPossible(f"All texts together may have {LONGEST_TOGETHER:,} characters at most.")


def _queue(
    dispute: Dispute, kind: DisputeAnswer.Kind, *, by_id: int, note: str, texts: Mapping[str, str]
) -> DisputeAnswer:
    return DisputeAnswer.objects.create(
        dispute=dispute, kind=kind, decided_by_id=by_id, note=note[:300], texts=dict(texts)
    )
