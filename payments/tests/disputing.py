"""Disputes as Stripe reports them, and what the books say about them, for the tests."""

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ledger.balances import balance_of
from ledger.entries import AccountKind
from money import Money
from payments.disputes.recording import record_dispute
from payments.disputes.stripe_objects import StripeDispute, StripeDisputeMovement

OPENED = datetime(2026, 11, 1, tzinfo=UTC)
_counter = itertools.count(1)


def moved(minor, *, currency="GBP", fee=0, rate=None, after=0, txn=None):
    """A balance transaction of a dispute: below zero if Stripe takes money."""
    return StripeDisputeMovement(
        id=txn or f"txn_{next(_counter)}_{uuid.uuid4().hex[:8]}",
        amount=Money(minor, currency),
        fee=Money(fee, currency),
        exchange_rate=Decimal(rate) if rate else None,
        happened_at=OPENED + timedelta(hours=after),
    )


def said(payment, status="needs_response", movements=(), **changes):
    """A dispute of all of the payment as Stripe reports it."""
    fields = {
        "id": f"du_{payment.reference.hex}",
        "status": status,
        "reason": "fraudulent",
        "amount": payment.amount,
        "charge_id": payment.stripe_charge_id or f"ch_{payment.reference.hex}",
        "payment_intent_id": payment.stripe_payment_intent_id,
        "payment_reference": str(payment.reference),
        "case_type": "inquiry" if status.startswith("warning") else "chargeback",
        "is_charge_refundable": status in ("won", "prevented") or status.startswith("warning"),
        "due_by": OPENED + timedelta(days=8),
        "is_past_due": False,
        "has_evidence": False,
        "submission_count": 0,
        "opened_at": OPENED,
        "answer_key": "",
        "movements": list(movements),
    }
    return StripeDispute(**{**fields, **changes})


class Case:
    """A dispute that goes through its states, each recorded as a webhook would."""

    def __init__(self, payment, amount=None, *, fee=1500, **changes):
        self.payment = payment
        self.amount = payment.amount if amount is None else Money(amount, payment.currency)
        self.fee = fee
        self.changes = {"amount": self.amount, "id": f"du_{uuid.uuid4().hex}", **changes}
        self.movements = []

    def report(self, status, **changes):
        return record_dispute(said(self.payment, status, self.movements, **{**self.changes, **changes})).dispute

    def open(self):
        self.movements.append(moved(-self.amount.minor, currency=self.amount.currency, fee=self.fee))
        return self.report("needs_response")

    def lose(self):
        return self.report("lost")

    def win(self, minor=None, *, fee=0):
        minor = self.amount.minor if minor is None else minor
        self.movements.append(moved(minor, currency=self.amount.currency, fee=fee, after=1))
        return self.report("won")


def book(kind, currency="GBP", teacher=None):
    """An account's balance in minor units, in its normal side."""
    return balance_of(kind, currency, teacher_id=teacher.pk if teacher else None).minor


def of_teacher(teacher, currency="GBP"):
    """All that a teacher has, in minor units: pending, available and held."""
    kinds = (AccountKind.TEACHER_PENDING, AccountKind.TEACHER_AVAILABLE, AccountKind.TEACHER_HELD)
    return sum(book(kind, currency, teacher) for kind in kinds)


def held(teacher, currency="GBP"):
    return book(AccountKind.TEACHER_HELD, currency, teacher)


def of_platform(currency="GBP"):
    """Fees kept, less what disputes cost, in minor units."""
    costs = (AccountKind.PLATFORM_LOSSES, AccountKind.DISPUTE_FEES)
    return book(AccountKind.PLATFORM_FEES, currency) - sum(book(kind, currency) for kind in costs)


def in_dispute(currency="GBP"):
    return book(AccountKind.FUNDS_IN_DISPUTE, currency)
