"""The chart of accounts with its totals, and every account with its balance."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import BigIntegerField, F, Func, QuerySet, Value
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from ledger.chart import CHART
from ledger.entries import AccountKind
from ledger.models import Account
from money import Money

_TOTALS = """
SELECT kind, currency, sum(ledger_balance(id, NULL, NULL)) FROM ledger_account GROUP BY kind, currency ORDER BY currency
"""


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin, ModelAdmin):
    """Every account; above the list, what each kind means and holds."""

    list_display = ("shown_title", "teacher", "currency", "shown_balance")
    list_filter = ("kind", "currency")
    list_select_related = ("teacher",)
    search_fields = ("teacher__display_name", "teacher__user__email")
    ordering = ("currency", "kind", "pk")
    fields = readonly_fields = (
        "shown_title",
        "shown_meaning",
        "teacher",
        "currency",
        "shown_balance",
        "shown_journals",
    )
    list_before_template = "ledger/_chart.html"
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        balance = Func(F("pk"), Value(None), Value(None), function="ledger_balance", output_field=BigIntegerField())
        accounts: QuerySet[Account] = super().get_queryset(request)
        return accounts.annotate(debit_minor=balance)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        table = {"headers": ["Account", "What it means", "Positive means", "In all"], "rows": _chart_rows()}
        context = {**(extra_context or {}), "chart_table": table, "title": "Chart of accounts"}
        answer: HttpResponseBase = super().changelist_view(request, context)
        return answer

    @display(description="Account", ordering="kind")
    def shown_title(self, account: Account) -> str:
        return CHART[AccountKind(account.kind)].title

    @display(description="What it means")
    def shown_meaning(self, account: Account) -> str:
        return CHART[AccountKind(account.kind)].meaning

    @display(description="Balance")
    def shown_balance(self, account: Account) -> str:
        debit_minor: int = account.debit_minor  # type: ignore[attr-defined]  # annotated above
        return str(CHART[AccountKind(account.kind)].as_read(debit_minor, account.currency))

    @display(description="Journals")
    def shown_journals(self, account: Account) -> str:
        address = reverse("admin:ledger_journal_changelist")
        return format_html('<a href="{}?account={}">Those with a posting on this account</a>', address, account.pk)


def _chart_rows() -> list[list[Any]]:
    totals: dict[str, list[Money]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS)
        for kind, currency, minor in cursor.fetchall():
            totals.setdefault(kind, []).append(CHART[AccountKind(kind)].as_read(int(minor), currency))
    return [
        [account.title, account.meaning, f"{account.nature} ({account.normal_side})", _as_lines(totals.get(kind, []))]
        for kind, account in CHART.items()
    ]


def _as_lines(amounts: list[Money]) -> str:
    moved = [amount for amount in amounts if amount.minor]
    return format_html_join("", "<div>{}</div>", [(str(amount),) for amount in moved]) or "–"
