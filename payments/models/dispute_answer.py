"""Answers to disputes: the evidence that staff gather, its files, and what is sent to Stripe."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from jobs.models import DurableWork
from payments.models.dispute import Dispute
from uploads.fields import StoredFileField
from uploads.storage import PrivateStorage


def private_storage() -> PrivateStorage:
    """The storage of evidence; a callable, so that migrations do not contain its location."""
    return PrivateStorage()


def new_answer_key() -> str:
    """A new key of an answer at Stripe. Never made from our ids, since a restored backup would issue those again."""
    return str(uuid.uuid4())


class EvidenceDraft(models.Model):
    """The texts that staff have written for a dispute so far, by Stripe's names of the fields."""

    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="draft")
    texts = models.JSONField(default=dict, editable=False)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"draft for {self.dispute}"


class EvidenceFile(models.Model):
    """A file for one field of a dispute's evidence. A field takes one file; another one replaces it."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="evidence_files")
    field = models.CharField(max_length=40, help_text="Stripe's name of the field.")
    file = StoredFileField(storage=private_storage, upload_to="disputes/evidence/", max_length=200)
    name = models.CharField(max_length=200, help_text="The name that the sender gave it.")
    size = models.PositiveIntegerField(help_text="In bytes.")
    idempotency_key = models.CharField(max_length=100, unique=True, default=new_answer_key, editable=False)
    stripe_file_id = models.CharField(max_length=100, blank=True, editable=False)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["field"]
        constraints = [models.UniqueConstraint(fields=["dispute", "field"], name="evidence_file_once_per_field")]

    def __str__(self) -> str:
        return self.name


class DisputeAnswer(DurableWork):
    """What staff decided about a dispute: to send this evidence, or to accept the loss. A worker sends it.

    Neither can be taken back, so one is under way at a time, and its texts are frozen.
    """

    queue = "stripe"
    lease = timedelta(seconds=120)
    max_attempts = 30

    class Kind(models.TextChoices):
        EVIDENCE = "evidence", "evidence sent to the bank"
        ACCEPTANCE = "acceptance", "dispute accepted as lost"

    class Status(models.TextChoices):
        QUEUED = "queued", "waiting to be sent"
        SENT = "sent"
        REFUSED = "refused", "refused by Stripe"

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="answers")
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    # What was sent: the texts by field, and for each file its field, name and id at Stripe.
    texts = models.JSONField(default=dict, editable=False)
    files = models.JSONField(default=list, editable=False)
    note = models.CharField(max_length=300, blank=True, help_text="Why, for staff.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # Sent as idempotency key and in the dispute's metadata, so that a retry recognises an answer that arrived.
    idempotency_key = models.CharField(max_length=100, unique=True, default=new_answer_key, editable=False)
    refusal = models.CharField(max_length=500, blank=True, help_text="Stripe's words.")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta(DurableWork.Meta):
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["dispute"], condition=Q(status="queued"), name="dispute_answer_one_under_way"
            ),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False) | (~Q(status="sent") & Q(sent_at__isnull=True)),
                name="dispute_answer_sent_at_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_status_display()}"
