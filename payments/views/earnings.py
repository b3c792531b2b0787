"""A teacher's own money: balances, what is pending until when, movements, and statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.guards import TeacherRequest, still_teaching_required
from accounts.time_zones import zone_of
from money import Money, is_currency
from payments.earnings.balances import TeacherBalance, teacher_balances
from payments.earnings.maturing import when_available
from payments.earnings.movements import as_movements, earned_by_month, rows_of_movements
from payments.earnings.statements import Period, as_csv, as_pdf, write_statement
from payments.models import Earning

_MOVEMENTS_PER_PAGE = 25
_PENDING_SHOWN = 50
_MONTHS_SHOWN = 12
_EARLIEST_YEAR = 2020


@require_GET
@never_cache
@still_teaching_required
def show_earnings(request: TeacherRequest) -> HttpResponse:
    """The balance of each currency at a glance; below it the chosen currency's chart, pending shares and movements."""
    balances = teacher_balances(request.teacher.pk)
    chosen = _chosen(balances, request.GET.get("currency", ""))
    context: dict[str, object] = {"balances": balances, "chosen": chosen}
    if chosen:
        context |= _details(request, chosen)
    return render(request, "payments/earnings/show.html", context)


@require_GET
@never_cache
@still_teaching_required
def download_statement(request: TeacherRequest, currency: str, period: str, kind: str) -> HttpResponse:
    """The statement of a month (2026-11) or a year (2026), as CSV or PDF. 404 for what cannot be a period."""
    if not is_currency(currency):
        raise Http404
    statement = write_statement(request.teacher, currency, _read_period(period, zone_of(request)))
    if kind == "csv":
        response = HttpResponse(as_csv(statement), content_type="text/csv; charset=utf-8")
    else:
        response = HttpResponse(as_pdf(statement), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{statement.file_name}.{kind}"'
    return response


def _chosen(balances: list[TeacherBalance], currency: str) -> TeacherBalance | None:
    """The balance whose details are shown: of the currency asked for, otherwise the first."""
    return next((balance for balance in balances if balance.currency == currency), balances[0] if balances else None)


def _details(request: TeacherRequest, chosen: TeacherBalance) -> dict[str, object]:
    teacher_id, currency, zone = request.teacher.pk, chosen.currency, zone_of(request)
    rows = rows_of_movements(teacher_id, currency)
    page = Paginator(rows, _MOVEMENTS_PER_PAGE).get_page(request.GET.get("page"))
    pending = Earning.objects.filter(teacher_id=teacher_id, currency=currency, matured_at=None)
    months = _latest_months(zone)
    return {
        "page": page,
        "movements": as_movements(page.object_list, teacher_id=teacher_id),
        "when_available": when_available(),
        "pending": pending.select_related("line__order").order_by("matures_at", "pk")[:_PENDING_SHOWN],
        "bars": _bars(months, earned_by_month(teacher_id, currency, since=months[0], zone=zone)),
        "months": [Period(year=month.year, month=month.month, zone=zone) for month in reversed(months)],
        "years": [Period(year=year, month=None, zone=zone) for year in (months[-1].year, months[-1].year - 1)],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One month of the chart, which is 120 units wide and 100 high, as high as its tallest bar."""

    month: datetime
    amount: Money
    left: int
    height: int

    @property
    def top(self) -> int:
        return 100 - self.height


def _bars(months: list[datetime], earned: dict[datetime, Money]) -> list[Bar]:
    amounts = [earned.get(month) for month in months]
    tallest = max((abs(amount.minor) for amount in amounts if amount), default=0)
    if not tallest:
        return []
    currency = next(amount.currency for amount in amounts if amount)
    return [
        Bar(
            month=month,
            amount=amount or Money.zero(currency),
            left=10 * position,
            height=max(0, amount.minor * 100 // tallest) if amount else 0,
        )
        for position, (month, amount) in enumerate(zip(months, amounts, strict=True))
    ]


def _latest_months(zone: tzinfo) -> list[datetime]:
    """The first moments of the latest months, oldest first."""
    today = timezone.now().astimezone(zone)
    count = [today.year * 12 + today.month - 1 - back for back in reversed(range(_MONTHS_SHOWN))]
    return [datetime(number // 12, number % 12 + 1, 1, tzinfo=zone) for number in count]


def _read_period(text: str, zone: tzinfo) -> Period:
    year, _, month = text.partition("-")
    if not _EARLIEST_YEAR <= int(year) <= timezone.now().year + 1 or (month and not 1 <= int(month) <= 12):  # noqa: PLR2004
        raise Http404
    return Period(year=int(year), month=int(month) if month else None, zone=zone)
