"""The invariants of payouts: what the rows say and what the books say agree."""

from __future__ import annotations

from django.db import connection
from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, Subquery, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat

from jobs.invariants import Invariant
from ledger.models import Journal
from payments.models import Payout, PayoutReversal, PayoutTransfer
from payments.payouts.rules import GIVEN_BACK, LEFT, OPEN

# One statement: between two, a payout may move on.
_WRONGLY_CLAIMED = """
WITH expected AS (
    SELECT teacher_id, currency, sum(amount_minor) AS minor
      FROM payments_payout WHERE status = ANY (%s) GROUP BY teacher_id, currency
), booked AS (
    SELECT a.teacher_id, a.currency, -sum(p.amount_minor) AS minor
      FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
     WHERE a.kind = 'teacher_in_payout'
     GROUP BY a.teacher_id, a.currency
)
SELECT DISTINCT COALESCE(expected.teacher_id, booked.teacher_id)
  FROM expected FULL JOIN booked USING (teacher_id, currency)
 WHERE COALESCE(expected.minor, 0) <> COALESCE(booked.minor, 0)
 ORDER BY 1
"""


class OpenPayoutsAreClaimed:
    name = "payments.open_payouts_are_claimed"
    promise = (
        "What the books say is claimed for payouts is the sum of each teacher's open payouts, per currency. The ids are "
        "of teachers."
    )

    def breaking(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(_WRONGLY_CLAIMED, [sorted(OPEN)])
            return [row[0] for row in cursor.fetchall()]


class PayoutsHaveTheirJournals:
    name = "payments.payouts_have_their_journals"
    promise = (
        "Each payout was claimed by one journal. One that was paid has one that paid it, and one that failed or was"
        " declined has one that gave the claim back, and no other has."
    )

    def breaking(self) -> list[int]:
        payouts = Payout.objects.annotate(
            is_claimed=_journal("requested"),
            is_paid=_journal("paid"),
            is_back=_journal("failed") | _journal("declined"),
        )
        is_right = (
            Q(status__in=OPEN, is_claimed=True, is_paid=False, is_back=False)
            # One that Stripe paid after all was given back before.
            | Q(status__in=LEFT, is_claimed=True, is_paid=True)
            | Q(status__in=GIVEN_BACK, is_claimed=True, is_paid=False, is_back=True)
        )
        return list(payouts.exclude(is_right).order_by("pk").values_list("pk", flat=True))


class ReturnsAreCounted:
    name = "payments.payout_returns_are_counted"
    promise = "Each payout by transfer counts exactly its reversals that succeeded as returned."

    def breaking(self) -> list[int]:
        reversed_minor = (
            PayoutReversal.objects.filter(transfer__payout=OuterRef("pk"), status=PayoutReversal.Status.SUCCEEDED)
            .order_by()
            .values("transfer__payout")
            .annotate(total=Sum("amount_minor"))
            .values("total")
        )
        payouts = Payout.objects.filter(way=Payout.Way.TRANSFER).annotate(
            came_back=Coalesce(Subquery(reversed_minor), 0, output_field=BigIntegerField())
        )
        return list(payouts.exclude(came_back=F("returned_minor")).order_by("pk").values_list("pk", flat=True))


class PaidTransfersAreKnown:
    name = "payments.paid_transfers_are_known"
    promise = "Each payout that was paid by transfer has the id of that transfer, and no other payout has one."

    def breaking(self) -> list[int]:
        known = PayoutTransfer.objects.filter(payout=OuterRef("pk"), stripe_transfer_id__isnull=False)
        is_right = Q(way=Payout.Way.TRANSFER, status__in=LEFT) & Q(Exists(known)) | (
            (Q(way=Payout.Way.BANK) | ~Q(status__in=LEFT)) & ~Q(Exists(known))
        )
        return list(Payout.objects.exclude(is_right).order_by("pk").values_list("pk", flat=True))


INVARIANTS: tuple[Invariant, ...] = (
    OpenPayoutsAreClaimed(),
    PayoutsHaveTheirJournals(),
    ReturnsAreCounted(),
    PaidTransfersAreKnown(),
)


def _journal(what: str) -> Exists:
    reference = Cast(OuterRef("reference"), TextField())
    source = Concat(Value("payout:"), reference, Value(f":{what}"), output_field=TextField())
    return Exists(Journal.objects.filter(source=source))
