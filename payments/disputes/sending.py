"""Carry answers to Stripe, once each, and record the dispute's state there. Call outside transactions."""

from __future__ import annotations

from io import BytesIO

import structlog
from django.db import transaction
from django.utils import timezone

from jobs.models import WorkParked
from notifications.alerts import raise_alert
from payments.disputes import gateway
from payments.disputes.recording import record_dispute
from payments.disputes.stripe_objects import StripeDispute
from payments.models import Dispute, DisputeAnswer, EvidenceFile
from payments.stripe_api import NoSuchObject, StripeMisconfigured, StripeRefused

log = structlog.get_logger()

_Kind, _Status = DisputeAnswer.Kind, DisputeAnswer.Status


def send_answer(answer: DisputeAnswer) -> None:
    """Make sure that the answer is at Stripe, and record what became of it.

    Looks before it sends: a retry recognises an answer whose reply was lost, and one that staff gave in Stripe's
    Dashboard meanwhile. Raises StripeUnreachable if it remains unknown whether it arrived; a retry looks again.
    """
    answer.refresh_from_db(fields=["status"])
    if answer.status != _Status.QUEUED:
        return
    try:
        present = gateway.retrieve_dispute(answer.dispute.stripe_dispute_id)
        if _has_arrived(answer, present):
            _record_sent(answer, present)
        elif present.status not in Dispute.TO_ANSWER:
            _record_refusal(answer, present, f"The dispute was answered or decided at Stripe before: {present.status}.")
        else:
            _record_sent(answer, _send(answer))
    except (StripeMisconfigured, NoSuchObject) as problem:
        raise WorkParked(f"Stripe refused because of our set-up: {problem}") from problem
    except StripeRefused as refusal:
        _record_refusal(answer, gateway.retrieve_dispute(answer.dispute.stripe_dispute_id), str(refusal))


def _has_arrived(answer: DisputeAnswer, present: StripeDispute) -> bool:
    if answer.kind == _Kind.ACCEPTANCE:
        return present.status == Dispute.Status.LOST
    return present.answer_key == answer.idempotency_key


def _send(answer: DisputeAnswer) -> StripeDispute:
    dispute_id, key = answer.dispute.stripe_dispute_id, answer.idempotency_key
    if answer.kind == _Kind.ACCEPTANCE:
        return gateway.accept_dispute(dispute_id, idempotency_key=key)
    evidence: dict[str, str] = dict(answer.texts)
    for file in answer.dispute.evidence_files.all():
        evidence[file.field] = file.stripe_file_id or _upload(file)
    return gateway.submit_evidence(dispute_id, evidence, idempotency_key=key)


def _upload(file: EvidenceFile) -> str:
    """Store the file at Stripe, and its id here at once, so that a retry of the answer does not upload it again."""
    with file.file.open("rb") as stored:
        content = BytesIO(stored.read())
    # Stripe shows this name to the bank; on our disk it is random.
    content.name = file.name
    file.stripe_file_id = gateway.upload_evidence_file(content, idempotency_key=file.idempotency_key)
    file.save(update_fields=["stripe_file_id"])
    return file.stripe_file_id


def _record_sent(answer: DisputeAnswer, fresh: StripeDispute) -> None:
    files = answer.dispute.evidence_files.values("field", "name", "stripe_file_id")
    with transaction.atomic():
        record_dispute(fresh)
        DisputeAnswer.objects.filter(pk=answer.pk, status=_Status.QUEUED).update(
            status=_Status.SENT,
            sent_at=timezone.now(),
            files=list(files) if answer.kind == _Kind.EVIDENCE else [],
        )
    log.info("dispute_answered", dispute=fresh.id, kind=answer.kind)


def _record_refusal(answer: DisputeAnswer, fresh: StripeDispute, words: str) -> None:
    """Record that Stripe took no answer, in its words. Staff can correct the evidence and send it again."""
    with transaction.atomic():
        record_dispute(fresh)
        queued = DisputeAnswer.objects.filter(pk=answer.pk, status=_Status.QUEUED)
        if queued.update(status=_Status.REFUSED, refusal=words[:500]):
            raise_alert(
                key=f"dispute-answer-refused:{answer.pk}",
                title=f"Stripe refused the answer to the dispute of {answer.dispute.amount}",
                detail={
                    "dispute": fresh.id,
                    "Stripe says": words[:500],
                    "page": answer.dispute.get_admin_url(),
                },
            )
