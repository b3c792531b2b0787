"""Receipts and credit notes: found by number, opened as PDF."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from jobs.read_only_admin import ReadOnlyAdmin
from payments.documents.credit_note import render_credit_note
from payments.documents.numbering import read_number
from payments.documents.receipt import render_receipt
from payments.models import Document
from payments.order_links import order_link
from payments.tax.report import owed_by_platform, read_year, report_as_csv, tax_report

_YEARS_OFFERED = 6


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = ["shown_number", "kind", "order_number", "customer", "issued_at", "file"]
    list_filter = ["kind", "year"]
    list_select_related = ["order__user"]
    search_fields = ["order__number", "order__user__email", "order__user__full_name__resembles"]
    search_help_text = "Number of the document or order, name or email"
    date_hierarchy = "issued_at"
    actions_list = ["tax"]
    fields = readonly_fields = ["shown_number", "kind", "order_number", "customer", "refund", "issued_at", "file"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Document], search_term: str
    ) -> tuple[QuerySet[Document], bool]:
        if number := read_number(search_term):
            return queryset.filter(**number), False
        found: tuple[QuerySet[Document], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def get_urls(self) -> list[Any]:
        file = path(
            "<int:document_id>/file/", self.admin_site.admin_view(self.show_file), name="payments_document_file"
        )
        return [file, *super().get_urls()]

    def show_file(self, request: HttpRequest, document_id: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        of_this = Document.objects.select_related("order__user", "refund__payment__order__user")
        document = get_object_or_404(of_this, pk=document_id)
        is_receipt = document.kind == Document.Kind.RECEIPT
        content = render_receipt(document.order) if is_receipt else render_credit_note(document)
        response = HttpResponse(content, content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="{document.file_name}"'
        return response

    @action(description="Tax report", url_path="tax", permissions=["view"])
    def tax(self, request: HttpRequest) -> HttpResponse:
        """The tax of one year, as a page or as a file."""
        this_year = timezone.now().astimezone(UTC).year
        year = read_year(request.GET.get("year", ""), default=this_year)
        rows = tax_report(since=datetime(year, 1, 1, tzinfo=UTC), until=datetime(year + 1, 1, 1, tzinfo=UTC))
        if request.GET.get("as") == "csv":
            response = HttpResponse(report_as_csv(rows), content_type="text/csv; charset=utf-8")
            response["Content-Disposition"] = f'attachment; filename="tax-{year}.csv"'
            return response
        context = {
            **self.admin_site.each_context(request),
            "title": f"Tax {year}",
            "opts": self.opts,
            "rows": rows,
            "owed": owed_by_platform(rows),
            "year": year,
            "years": range(this_year, this_year - _YEARS_OFFERED, -1),
        }
        return TemplateResponse(request, "payments/admin/tax_report.html", context)

    @display(description="Number", ordering="sequence")
    def shown_number(self, document: Document) -> str:
        return document.number

    @display(description="Order")
    def order_number(self, document: Document) -> str:
        return order_link(document.order_id, document.order.number)

    @display(description="Customer")
    def customer(self, document: Document) -> str:
        return str(document.order.user)

    @display(description="File")
    def file(self, document: Document) -> str:
        url = reverse("admin:payments_document_file", args=[document.pk])
        return format_html('<a class="underline" href="{}">PDF</a>', url)
