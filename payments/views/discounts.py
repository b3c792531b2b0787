"""The codes that a teacher makes for what they teach."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guards import TeacherRequest, teacher_required
from catalogue.models import Listing
from payments.discounts.download import codes_as_csv
from payments.discounts.forms import TeachersCodeForm
from payments.discounts.making import CodeNotMade, end_code_of, make_code_of
from payments.discounts.words import condition_in_words, given_by, scope_in_words, terms_in_words
from payments.models import DiscountCode

_CODES_PER_PAGE = 25


@require_http_methods(["GET", "POST"])
@never_cache
@teacher_required
def show_codes(request: TeacherRequest) -> HttpResponse:
    """The teacher's codes with what became of them, and the form for another."""
    form = TeachersCodeForm(request.POST if request.method == "POST" else None, teacher=request.teacher)
    if form.is_bound and form.is_valid():
        try:
            code = make_code_of(request.teacher, form.to_code())
        except CodeNotMade as problem:
            form.add_error("code", str(problem))
        else:
            messages.success(request, f"Students can use {code} from now on.")
            return redirect("payments:discounts")
    return render(request, "payments/discount_list.html", _context(request, form), status=422 if form.is_bound else 200)


@require_GET
@never_cache
@teacher_required
def download_codes(request: TeacherRequest) -> HttpResponse:
    """All codes of the teacher as a CSV file, those that staff made like one of theirs included."""
    codes = DiscountCode.objects.filter(bearer=request.teacher).prefetch_related("amounts")
    return HttpResponse(
        codes_as_csv(codes),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="discount-codes.csv"'},
    )


@require_POST
@teacher_required
def end_code(request: TeacherRequest, code_id: int) -> HttpResponse:
    """End a code at once."""
    code = end_code_of(request.teacher, code_id=code_id)
    if code is None:
        raise Http404
    messages.success(request, f"{code} can no longer be used.")
    return redirect("payments:discounts")


def _context(request: TeacherRequest, form: TeachersCodeForm) -> dict[str, Any]:
    codes = DiscountCode.objects.filter(bearer=request.teacher).prefetch_related("amounts")
    page = Paginator(codes, _CODES_PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    given = given_by(shown)
    titles = {
        (listing.domain, listing.reference): listing.title
        for listing in Listing.objects.filter(teacher=request.teacher, reference__in=[each.reference for each in shown])
    }
    now = timezone.now()
    rows = [
        {
            "code": code,
            "terms": " ".join(filter(None, [terms_in_words(code), condition_in_words(code)])),
            "scope": scope_in_words(code, titles.get((code.domain, code.reference), "")),
            "uses": given.get(code.pk, (0, []))[0],
            "given": given.get(code.pk, (0, []))[1],
            "has_ended": code.has_ended(now),
        }
        for code in shown
    ]
    return {"page": page, "rows": rows, "form": form}
