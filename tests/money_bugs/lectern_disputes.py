"""A dispute in Lectern, and what Stripe reports about it."""

import time
import uuid

from django.db import transaction

from money import Money
from payments.disputes.prefill import refunded_before
from payments.disputes.stripe_objects import read_dispute
from payments.models import Dispute as DisputeRow
from payments.models import WebhookEvent
from payments.tests.factories import event_of
from payments.webhook.inbox import store_event
from payments.webhook.routing import route_of
from tests.money_bugs.world import Dispute


class LecternDispute(Dispute):
    """Stripe withdraws the amount with its fee at once; an inquiry moves nothing."""

    def __init__(self, payment, amount, *, fee, settled=None, is_inquiry=False):
        self.payment = payment
        self.amount = amount
        self.settled = settled or amount
        self.fee = fee
        self.is_inquiry = is_inquiry
        self.stripe_id = f"du_{uuid.uuid4().hex}"
        self.movements = []
        if not is_inquiry:
            self._move(self.settled * -1, fee)
        self._tell("created", "warning_needs_response" if is_inquiry else "needs_response")

    @property
    def row(self):
        return DisputeRow.objects.get(stripe_dispute_id=self.stripe_id)

    def is_lost(self):
        self._tell("closed", "lost")

    def is_won(self):
        if self.is_inquiry:
            self._tell("closed", "warning_closed")
            return
        self._move(self.settled, Money.zero(self.fee.currency))
        self._tell("closed", "won")

    def _move(self, amount, fee):
        rate = abs(self.settled.to_major() / self.amount.to_major())
        self.movements.append(
            {
                "id": f"txn_{uuid.uuid4().hex}",
                "amount": amount.minor,
                "fee": fee.minor,
                "currency": amount.currency.lower(),
                "exchange_rate": None if amount.currency == self.amount.currency else float(rate),
                "created": int(time.time()) + len(self.movements),
            }
        )

    def _tell(self, what, status):
        """The event arrives twice; Stripe is asked for the dispute, and its answer recorded with the event."""
        obj = self._object(status)
        for _ in range(2):
            event = event_of(f"charge.dispute.{what}", obj)
            store_event(event, source="webhook")
            row = WebhookEvent.objects.get(stripe_id=event["id"])
            with transaction.atomic():
                route_of(event["type"]).handle(row, read_dispute(obj))

    def _object(self, status):
        return {
            "id": self.stripe_id,
            "object": "dispute",
            "status": status,
            "reason": "fraudulent",
            "amount": self.amount.minor,
            "currency": self.amount.currency.lower(),
            "charge": f"ch_{self.payment.reference.hex}",
            "payment_intent": self.payment.stripe_payment_intent_id,
            "is_charge_refundable": self.is_inquiry or status == "won",
            "evidence_details": {"due_by": int(time.time()) + 7 * 86400, "has_evidence": False, "past_due": False},
            "created": int(time.time()),
            "metadata": {},
            "balance_transactions": list(self.movements),
        }

    def figures(self):
        row = self.row
        return {"state": row.status, "is_refunded_before": "yes" if refunded_before(row) else "no"}
