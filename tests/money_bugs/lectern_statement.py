"""Stripe's statement in a scenario: balance transactions as Stripe lists them, compared with Lectern's books."""

import itertools
from datetime import timedelta

from django.utils import timezone

from money import Money
from payments.models import ReconciliationRun
from payments.reconciliation.runs import advance_run, request_run
from payments.reconciliation.statement_reading import store_movements

ACCOUNT = "acct_of_the_platform"


class Statement:
    def __init__(self):
        self.lines = []
        self.numbers = itertools.count(1)

    def has_charge(self, sale, amount, *, fee="0.00"):
        source = {"id": f"ch_{sale.payment.reference.hex}", "object": "charge", "currency": "gbp"}
        self._add("charge", amount, fee=fee, source=source | {"payment_intent": sale.payment.stripe_payment_intent_id})

    def has_refund(self, refund, amount):
        source = {"id": refund.stripe_id, "object": "refund", "status": "succeeded", "currency": "gbp"}
        self._add("refund", amount, source=source | {"payment_intent": refund.payment.stripe_payment_intent_id})

    def has_dispute(self, dispute):
        """The transactions of a dispute, as the dispute itself names them."""
        for movement in dispute.movements:
            amount, fee = (Money(movement[name], "GBP").to_major() for name in ("amount", "fee"))
            category = "dispute" if amount < 0 else "dispute_reversal"
            self._add("adjustment", amount, fee=fee, source=dispute.stripe_id, category=category, txn=movement["id"])

    def has_platform_payout(self, amount):
        self._add("payout", amount, source={"id": "po_1", "object": "payout", "status": "paid"})

    def has(self, kind, amount):
        """A transaction of a type that nothing here knows."""
        self._add(kind, amount, source=None)

    def _add(self, kind, amount, *, fee="0.00", source, category="", txn=""):
        gross, cost = Money.from_major(amount, "GBP").minor, Money.from_major(fee, "GBP").minor
        at = int((timezone.now() - timedelta(minutes=1)).timestamp())
        self.lines.append(
            {
                "id": txn or f"txn_{next(self.numbers)}",
                "object": "balance_transaction",
                "type": kind,
                "reporting_category": category or kind,
                "amount": gross,
                "fee": cost,
                "net": gross - cost,
                "currency": "gbp",
                "created": at,
                "available_on": at,
                "description": None,
                "source": source,
                "fee_details": [{"type": "stripe_fee", "description": None, "amount": cost}] if cost else [],
            }
        )

    def is_compared(self, *, repairs=ReconciliationRun.Repairs.NONE):
        """A finished run over the last month, without reading anything from Stripe itself."""
        now = timezone.now()
        run = request_run(since=now - timedelta(days=31), until=now, repairs=repairs, is_performed_here=True)
        store_movements(self.lines, account=ACCOUNT, livemode=False)
        run.account, run.step = ACCOUNT, ReconciliationRun.Step.MOVEMENTS
        run.save(update_fields=["account", "step"])
        assert advance_run(run, seconds=60)
        return run


def totals(run):
    """Stripe's total, the ledger's, what is named and the remainder, in major units."""
    total = run.totals.get(currency="GBP")
    names = ("stripe_minor", "ledger_minor", "named_minor", "remainder_minor")
    return [str(Money(getattr(total, name), "GBP").to_major()) for name in names]


def differences(run):
    """Kind and amount of each difference in major units."""
    rows = run.differences.order_by("kind").values_list("kind", "amount_minor", "currency")
    return [(kind, str(Money(minor, currency).to_major())) for kind, minor, currency in rows]
