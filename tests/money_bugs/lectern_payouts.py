"""A payout in Lectern, and what Stripe reports about its transfer."""

import time
import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.tests.factories import UserFactory
from money import Money
from payments.models import Payout as PayoutRow
from payments.models import PayoutSchedule, WebhookEvent
from payments.payouts.decisions import approve_payout
from payments.payouts.requests import current_account, request_payout
from payments.payouts.schedules import choose_schedule, request_scheduled_payouts
from payments.payouts.stripe_objects import read_transfer
from payments.tests.factories import event_of
from payments.tests.payout_factories import ready_account
from payments.webhook.inbox import store_event
from payments.webhook.routing import route_of
from tests.money_bugs.world import Payout


def request_and_approve(teacher, currency, amount=None):
    """A payout that a teacher with an account at Stripe requested and staff approved. Raises PayoutRefused."""
    if current_account(teacher.pk) is None:
        ready_account(teacher)
    money = None if amount is None else Money.from_major(amount, currency)
    payout = request_payout(teacher=teacher, currency=currency, amount=money, requested_by_id=teacher.user_id)
    return approve_payout(payout_id=payout.pk, by=UserFactory(is_staff=True))


def scheduled_and_approved(teacher, *, weeks):
    """The payouts of a teacher's weekly schedule on its day, so many weeks from now."""
    if current_account(teacher.pk) is None:
        ready_account(teacher)
    before = set(PayoutRow.objects.values_list("pk", flat=True))
    choose_schedule(teacher, PayoutSchedule.Interval.WEEKLY)
    request_scheduled_payouts(today=timezone.now().date() + timedelta(weeks=weeks))
    requested = PayoutRow.objects.exclude(pk__in=before).order_by("currency")
    return [approve_payout(payout_id=payout.pk, by=UserFactory(is_staff=True)) for payout in requested]


class LecternPayout(Payout):
    def __init__(self, row):
        self.reference = row.reference
        self.stripe_id = f"tr_{uuid.uuid4().hex}"
        self.reversals = []

    @property
    def row(self):
        return PayoutRow.objects.get(reference=self.reference)

    def is_paid(self):
        self._tell("transfer.created")

    def comes_back(self, *, arrived=None):
        amount = self.row.amount
        arrived = amount if arrived is None else Money.from_major(arrived, amount.currency)
        movement = {"amount": arrived.minor, "currency": arrived.currency.lower()}
        self.reversals.append(
            {
                "id": f"trr_{uuid.uuid4().hex}",
                "amount": amount.minor,
                "currency": amount.currency.lower(),
                "balance_transaction": movement,
                "metadata": {},
            }
        )
        self._tell("transfer.reversed")

    def _tell(self, event_type):
        """The event arrives twice; Stripe is asked for the transfer, and its answer recorded with the event."""
        obj = self._object()
        for _ in range(2):
            event = event_of(event_type, obj)
            store_event(event, source="webhook")
            row = WebhookEvent.objects.get(stripe_id=event["id"])
            with transaction.atomic():
                route_of(event_type).handle(row, read_transfer(obj, self.reversals))

    def _object(self):
        payout = self.row
        return {
            "id": self.stripe_id,
            "object": "transfer",
            "amount": payout.amount_minor,
            "currency": payout.currency.lower(),
            "created": int(time.time()),
            "destination": current_account(payout.teacher_id).stripe_account_id,
            "destination_payment": f"py_{payout.reference.hex}",
            "metadata": {"payout": str(payout.reference)},
            "balance_transaction": {"fee": 0, "currency": payout.currency.lower()},
            "reversals": {"data": self.reversals},
        }

    def figures(self):
        payout = self.row
        return {"amount": payout.amount.to_major(), "currency": payout.currency, "state": payout.status}
