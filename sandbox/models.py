"""Six small tables. Every Stripe object is one row of JSON, so a new resource needs no migration."""

from typing import ClassVar

from django.db import models


def _reference() -> "models.CharField[str | None, str | None]":
    """The id of another object, or null."""
    return models.CharField(max_length=120, null=True)


def _index_by(name: str) -> models.Index:
    is_there = models.Q(**{f"{name}__isnull": False})
    return models.Index(fields=["kind", name, "account", "-sequence"], name=f"object_by_{name}", condition=is_there)


class StoredObject(models.Model):
    """Any Stripe object. Deleted objects keep their row, because Stripe still returns them.

    The columns beside `body` repeat the fields that lists filter by, and for a balance transaction the fields that
    balances are summed by: `net` in minor units of `currency`, `available_on`, and the `payout` that paid it out.
    An absent reference is null and in no index: most objects have one or two of the six, and index entries for the
    others took half the time of writing an object.
    `sequence` is the order of creation; `created` (whole seconds) is too coarse for that.
    """

    sequence = models.BigAutoField(primary_key=True)
    object_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=60)
    account = models.CharField(max_length=60)
    created = models.BigIntegerField()
    body = models.JSONField()
    is_deleted = models.BooleanField(default=False)
    customer = _reference()
    payment_intent = _reference()
    charge = _reference()
    product = _reference()
    source = _reference()
    status = models.CharField(max_length=60, default="")
    subtype = models.CharField(max_length=120, default="")
    currency = models.CharField(max_length=3, default="")
    net = models.BigIntegerField(null=True)
    available_on = models.BigIntegerField(null=True)
    payout = _reference()

    class Meta:
        constraints: ClassVar = [
            # Users choose the ids of some kinds: a coupon and a product may both have the id SUMMER on each account.
            models.UniqueConstraint(fields=["object_id", "kind", "account"], name="one_object_of_an_id")
        ]
        indexes: ClassVar = [
            models.Index(fields=["kind", "account", "-sequence"], name="object_newest_first"),
            # The same columns as the queries, in the same order: SQLite then always uses these indexes, although it
            # has no statistics.
            *(_index_by(name) for name in ("customer", "payment_intent", "charge", "product", "source", "payout")),
            models.Index(fields=["kind", "subtype", "account", "-sequence"], name="object_by_subtype"),
            models.Index(fields=["kind", "status", "account", "-sequence"], name="object_by_status"),
            # Covers the sums of a balance, so that no body is read for them.
            models.Index(
                fields=["kind", "account", "status", "currency", "net"],
                name="object_balance_sums",
                condition=models.Q(net__isnull=False),
            ),
        ]

    objects: ClassVar[models.Manager["StoredObject"]] = models.Manager()

    def __str__(self) -> str:
        return self.object_id


class IdempotentAnswer(models.Model):
    """The response to a POST with an Idempotency-Key, kept for 24 hours of the sandbox's clock."""

    key = models.CharField(max_length=255)
    account = models.CharField(max_length=60)
    path = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.IntegerField()
    answer = models.TextField()
    request_id = models.CharField(max_length=60)
    created = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "key"], name="one_answer_per_idempotency_key")
        ]

    objects: ClassVar[models.Manager["IdempotentAnswer"]] = models.Manager()

    def __str__(self) -> str:
        return self.key


class Delivery(models.Model):
    """The delivery of one event to one endpoint, attempted until the answer is 2xx. Times: the sandbox's clock."""

    class State(models.TextChoices):
        PENDING = "pending"
        HELD = "held"
        SUCCEEDED = "succeeded"
        DROPPED = "dropped"
        ABANDONED = "abandoned"

    event = models.CharField(max_length=120, db_index=True)
    event_type = models.CharField(max_length=120)
    endpoint = models.CharField(max_length=120)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.FloatField()
    last_attempt_at = models.FloatField(null=True)
    last_status = models.IntegerField(null=True)
    last_answer = models.TextField(default="")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "next_attempt_at", "endpoint"], name="delivery_due")]

    objects: ClassVar[models.Manager["Delivery"]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"


class DeliveryAttempt(models.Model):
    """One attempt to send the event, with the header `signature`. `at` is the sandbox's time.

    `status` is null if there was no answer; `answer` then says why.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    at = models.FloatField()
    status = models.IntegerField(null=True)
    answer = models.TextField(default="")
    milliseconds = models.IntegerField()
    signature = models.TextField(default="")

    objects: ClassVar[models.Manager["DeliveryAttempt"]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.delivery} at {self.at}"


class ScheduledStep(models.Model):
    """A change that happens automatically at a later time, such as an expiry or a bank's answer.

    `due_at` is in the sandbox's time, or in that of `test_clock` if it is set.
    """

    name = models.CharField(max_length=60)
    object_id = models.CharField(max_length=120, db_index=True)
    due_at = models.FloatField(db_index=True)
    account = models.CharField(max_length=60, default="")
    test_clock = models.CharField(max_length=120, default="")

    objects: ClassVar[models.Manager["ScheduledStep"]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.name} {self.object_id}"


class Lever(models.Model):
    """A switch that survives a restart, by name: the clock's offset, faults, the delivery mode."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.JSONField()

    objects: ClassVar[models.Manager["Lever"]] = models.Manager()

    def __str__(self) -> str:
        return self.name
