"""A refund in Lectern, and what Stripe reports about it."""

import uuid
from contextlib import suppress

from django.db import transaction

from accounts.tests.factories import UserFactory
from payments.finding import PaymentNotSettledYet
from payments.models import Refund, WebhookEvent
from payments.refunds.decisions import allocate_refund, preview_of_allocation
from payments.refunds.plan import OverAllLines
from payments.refunds.recording import record_refund
from payments.stripe_objects import read_refund
from payments.tests.factories import event_of
from payments.webhook.inbox import store_event
from payments.webhook.routing import route_of
from tests.money_bugs.world import Refund as AnyRefund
from tests.money_bugs.world import Shown


class LecternRefund(AnyRefund):
    """One that Lectern requested (`row`), or one of an amount made in Stripe's Dashboard."""

    def __init__(self, payment, references, row=None, *, amount=None):
        self.payment = payment
        self.references = references
        self.requested = row
        self.amount = row.amount if row else amount
        self.stripe_id = f"re_{uuid.uuid4().hex}"

    @property
    def row(self):
        if self.requested is None:
            return Refund.objects.get(stripe_refund_id=self.stripe_id)
        return Refund.objects.get(pk=self.requested.pk)

    def stays_pending(self):
        self._tell("pending")

    def succeeds(self):
        self._tell("succeeded")

    def fails(self):
        self._tell("failed", failure_reason="expired_or_canceled_card")

    def is_answered(self):
        """The process that asked Stripe records the answer."""
        record_refund(read_refund(self._object("succeeded")))

    def _tell(self, status, **changes):
        """The event arrives; Stripe is asked for the refund, and its answer recorded with the event."""
        obj = self._object(status, **changes)
        event = event_of("refund.updated", obj)
        store_event(event, source="webhook")
        row = WebhookEvent.objects.get(stripe_id=event["id"])
        # Then a worker repeats it later: here, when it is told again.
        with suppress(PaymentNotSettledYet), transaction.atomic():
            route_of("refund.updated").handle(row, read_refund(obj))

    def _object(self, status, **changes):
        reference = self.row.payment.reference if self.requested else self.payment.reference
        metadata = {"refund": self.row.idempotency_key} if self.requested else {}
        return {
            "id": self.stripe_id,
            "object": "refund",
            "status": status,
            "amount": self.amount.minor,
            "currency": self.amount.currency.lower(),
            "payment_intent": {"id": f"pi_{reference.hex}", "metadata": {"payment": str(reference)}},
            "metadata": metadata,
            **changes,
        }

    def part(self, line):
        return LecternPart(self.row.allocations.select_related("refund").get(line__reference=self.references[line - 1]))

    def is_allocated_as_proposed(self):
        refund = self.row
        wanted = OverAllLines(refund.to_allocate)
        seen = preview_of_allocation(refund, wanted).digest
        staff = UserFactory(is_staff=True)
        allocate_refund(refund_id=refund.pk, wanted=wanted, seen=seen, note="", by_id=staff.pk)

    def figures(self):
        refund = self.row
        parts = list(refund.allocations.select_related("refund"))
        return {
            "amount": refund.amount.to_major(),
            "fee": sum(part.fee.to_major() for part in parts),
            "share": sum(part.share.to_major() for part in parts),
            "sent": refund.amount_minor,
            "state": refund.status,
        }


class LecternPart(Shown):
    def __init__(self, allocation):
        self.allocation = allocation

    def figures(self):
        return {name: getattr(self.allocation, name).to_major() for name in ("amount", "fee", "share")}
