"""What needs a member of staff now: counted in the menu, and listed on the admin's first page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Min, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts.models import Teacher
from bookings.models import LessonRequest
from config.admin_access import may_see
from jobs.overview import kinds_of_work, sweep_is_missing
from notifications.models import Alert
from payments.admin.fraud_warnings import waiting_warnings
from payments.models import Difference, Dispute, FraudWarning, Payout, Refund


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Rows that wait for staff, and the list that shows them."""

    name: str
    count: int
    text: str
    url: str
    icon: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    name: str
    icon: str
    # For one, and for several.
    texts: tuple[str, str]
    model: type[Any]
    rows: Callable[[], QuerySet[Any]]
    query: str = ""
    detail: Callable[[QuerySet[Any]], str] = lambda _rows: ""


def _due_text(disputes: QuerySet[Dispute]) -> str:
    """Until when the most urgent dispute must be answered; empty if no bank says."""
    soonest = disputes.aggregate(soonest=Min("due_by"))["soonest"]
    return f"the first by {date_format(localtime(soonest), 'DATETIME_FORMAT')}" if soonest else ""


_KINDS: Final[Sequence[_Kind]] = (
    _Kind(
        name="disputes",
        icon="gavel",
        texts=("dispute needs an answer", "disputes need an answer"),
        model=Dispute,
        rows=Dispute.objects.to_answer,
        query="?outcome=to_answer",
        detail=_due_text,
    ),
    _Kind(
        name="warnings",
        icon="warning",
        texts=("fraud warning needs a decision", "fraud warnings need a decision"),
        model=FraudWarning,
        rows=lambda: waiting_warnings(FraudWarning.objects.all()),
        query="?decision=open",
    ),
    _Kind(
        name="refunds",
        icon="undo",
        texts=("refund made at Stripe to allocate to lines", "refunds made at Stripe to allocate to lines"),
        model=Refund,
        rows=Refund.objects.to_allocate,
        query="?allocation=open",
    ),
    _Kind(
        name="payouts",
        icon="send_money",
        texts=("payout to approve or decline", "payouts to approve or decline"),
        model=Payout,
        rows=lambda: Payout.objects.filter(status=Payout.Status.REQUESTED),
        query="?status__exact=requested",
    ),
    _Kind(
        name="applicants",
        icon="how_to_reg",
        texts=("applicant waits for a decision", "applicants wait for a decision"),
        model=Teacher,
        rows=lambda: Teacher.objects.filter(status=Teacher.Status.APPLIED),
        query="?status__exact=applied",
    ),
    _Kind(
        name="requests",
        icon="person_search",
        texts=("lesson request needs a teacher", "lesson requests need a teacher"),
        model=LessonRequest,
        rows=lambda: LessonRequest.objects.filter(LessonRequest.waits_for_staff()),
        query="?waits=staff",
    ),
    _Kind(
        name="alerts",
        icon="notifications",
        texts=("alert to read", "alerts to read"),
        model=Alert,
        rows=Alert.objects.unread,
        query="?state=unread",
    ),
)
_DIFFERENCES: Final = _Kind(
    name="differences",
    icon="balance",
    texts=("difference between the books and Stripe", "differences between the books and Stripe"),
    model=Difference,
    rows=Difference.objects.open,
)


def needs_of(request: HttpRequest) -> list[Need]:
    """The rows that wait, of the kinds this member of staff may see; one query each, once a request."""
    known: list[Need] | None = getattr(request, "needs_of_staff", None)
    if known is None:
        known = [need for kind in _KINDS if may_see(kind.model, request) if (need := _need(kind))]
        request.needs_of_staff = known  # type: ignore[attr-defined]  # kept for the request: menu and page both ask
    return known


def all_needs_of(request: HttpRequest) -> list[Need]:
    """Those of the menu, and what is too slow to count on each page: parked work and differences."""
    found = list(needs_of(request))
    if may_see(Difference, request) and (need := _need(_DIFFERENCES)):
        found.append(need)
    return found + _parked_work(request)


def fill_first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Give the first page what needs this member of staff."""
    is_operator = request.user.has_perm("jobs.view_heartbeat")
    return {
        **context,
        "title": "What needs you",
        "needs": all_needs_of(request),
        "sweep_is_missing": is_operator and sweep_is_missing(),
    }


def _need(kind: _Kind) -> Need | None:
    rows = kind.rows()
    count = rows.count()
    if not count:
        return None
    url = reverse(f"admin:{kind.model._meta.app_label}_{kind.model._meta.model_name}_changelist")
    text = kind.texts[0] if count == 1 else kind.texts[1]
    detail = kind.detail(rows)
    return Need(name=kind.name, count=count, text=text, url=f"{url}{kind.query}", icon=kind.icon, detail=detail)


def _parked_work(request: HttpRequest) -> list[Need]:
    found = []
    for kind in kinds_of_work():
        meta = kind.model._meta
        # A lane of another kind's rows has no list of its own.
        listed = meta.concrete_model
        if kind.parked and listed and may_see(listed, request):
            name = meta.verbose_name if kind.parked == 1 else meta.verbose_name_plural
            url = (
                f"{reverse(f'admin:{listed._meta.app_label}_{listed._meta.model_name}_changelist')}?state__exact=parked"
            )
            text = f"{name} given up after failing"
            found.append(Need(name=meta.label, count=kind.parked, text=text, url=url, icon="error"))
    return found
