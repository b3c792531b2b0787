"""The invariants of receipts and credit notes."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Max
from django.utils import timezone

from payments.models import Document, Order, Refund

# Mails number documents within seconds, the periodic task within minutes.
_MAY_TAKE = timedelta(hours=1)


class DocumentsAreNumberedWithoutGaps:
    name = "payments.documents_are_numbered_without_gaps"
    promise = "Receipts and credit notes of each year are numbered from one without gaps."

    def breaking(self) -> list[int]:
        """The years, since a missing row has no id."""
        counted = Document.objects.order_by().values("kind", "year").annotate(last=Max("sequence"), stored=Count("pk"))
        return sorted({row["year"] for row in counted if row["last"] != row["stored"]})


class PaidOrdersHaveReceipts:
    name = "payments.paid_orders_have_receipts"
    promise = "An hour after it was paid, each order has a numbered receipt."

    def breaking(self) -> list[int]:
        old = Order.objects.filter(paid_at__lt=timezone.now() - _MAY_TAKE)
        return list(old.exclude(documents__kind=Document.Kind.RECEIPT).order_by("pk").values_list("pk", flat=True))


class RefundsHaveCreditNotes:
    name = "payments.refunds_have_credit_notes"
    promise = "An hour after it succeeded, each refund of an order has a numbered credit note."

    def breaking(self) -> list[int]:
        old = Refund.objects.filter(succeeded_at__lt=timezone.now() - _MAY_TAKE, document=None)
        return list(
            old.exclude(reason__in=Refund.REASONS_WITHOUT_CREDIT_NOTE).order_by("pk").values_list("pk", flat=True)
        )


INVARIANTS = (DocumentsAreNumberedWithoutGaps(), PaidOrdersHaveReceipts(), RefundsHaveCreditNotes())
