"""Receipts and credit notes of a student's own orders as PDF. Those of other people answer 404."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from payments.documents.collection import render_all_documents
from payments.documents.credit_note import render_credit_note
from payments.documents.receipt import render_receipt
from payments.models import Document, Order


@require_GET
@never_cache
@login_required
def receipt_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt of a paid order."""
    order = _own_paid_order(request, number)
    return _pdf(render_receipt(order), name=order.receipt_name)


@require_GET
@never_cache
@login_required
def credit_note_pdf(request: HttpRequest, number: str, document_id: int) -> HttpResponse:
    """The credit note of one refund."""
    notes = Document.objects.select_related("order__user", "refund__payment__order__user")
    own = notes.filter(order__number=number, order__user_id=request.user.pk or 0, kind=Document.Kind.CREDIT_NOTE)
    note = get_object_or_404(own, pk=document_id)
    return _pdf(render_credit_note(note), name=note.file_name)


@require_GET
@never_cache
@login_required
def all_documents_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt and all credit notes of a paid order in one file."""
    order = _own_paid_order(request, number)
    return _pdf(render_all_documents(order), name=f"documents-{order.number}.pdf")


def _own_paid_order(request: HttpRequest, number: str) -> Order:
    own = Order.objects.select_related("user").filter(user_id=request.user.pk or 0, state=Order.State.COMPLETED)
    return get_object_or_404(own, number=number)


def _pdf(content: bytes, *, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
