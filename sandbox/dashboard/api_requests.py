"""Recent API requests and their responses."""

import json
from urllib.parse import parse_qsl

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from sandbox import request_log
from sandbox.dashboard.access import page
from sandbox.dashboard.cells import Cell, moment_of, text_of
from sandbox.dashboard.frame import framed
from sandbox.dashboard.tables import Table, choices, page_of_items
from sandbox.options import options
from sandbox.request_log import Entry

HEADINGS = ("Request", "Status", "Id", "Account", "When")
FAILED = 400
FILTERS = ("failed", "succeeded", "POST", "GET", "DELETE")


@page
def requests(request: HttpRequest) -> HttpResponse:
    """The requests in memory, newest first."""
    chosen, words = request.GET.get("status", ""), request.GET.get("q", "").strip()
    entries = [
        entry for entry in request_log.latest() if _is_chosen(entry, chosen) and words in entry.path + entry.parameters
    ]
    found = page_of_items(entries, request, lambda entry: str(entry.request_id))
    rows = [list(zip(HEADINGS, _cells(entry), strict=True)) for entry in found.items]
    nothing = f"No matching requests among the last {request_log.KEPT} since the start."
    context = {
        "table": Table("API requests", HEADINGS, rows, nothing, found.newer, found.older),
        "filters": choices(FILTERS),
        "chosen": chosen,
        "words": words,
        "kept": request_log.KEPT,
    }
    return render(request, "sandbox/dashboard_requests.html", framed(request, "API requests", "requests") | context)


def _is_chosen(entry: Entry, chosen: str) -> bool:
    if chosen in ("failed", "succeeded"):
        return (entry.status >= FAILED) == (chosen == "failed")
    return chosen in ("", entry.method)


def _cells(entry: Entry) -> tuple[Cell, ...]:
    return (
        Cell(f"{entry.method} {entry.path}", reverse("request", args=[entry.request_id]), "mono"),
        Cell(str(entry.status), look=_look(entry)),
        Cell(entry.request_id, look="mono"),
        text_of(entry.account if entry.account != options().account_id else None, look="mono"),
        moment_of(entry.at),
    )


def _look(entry: Entry) -> str:
    return f"state {'bad' if entry.status >= FAILED else 'good'}"


@page
def one_request(request: HttpRequest, request_id: str) -> HttpResponse:
    """One request with its parameters and response."""
    entry = request_log.find(request_id)
    if entry is None:
        raise Http404
    context = {
        "entry": entry,
        "status": Cell(str(entry.status), look=_look(entry)),
        "when": moment_of(entry.at),
        "parameters": parse_qsl(entry.parameters, keep_blank_values=True),
        "answer": _pretty(entry.answer),
        "about": _about(entry.answer),
    }
    title = f"{entry.method} {entry.path}"
    return render(request, "sandbox/dashboard_request.html", framed(request, title, "requests") | context)


def _pretty(answer: str) -> str:
    try:
        return json.dumps(json.loads(answer), indent=2, ensure_ascii=False)
    except ValueError:
        return answer


def _about(answer: str) -> str:
    """The id of the object in a response, or an empty string."""
    try:
        content = json.loads(answer)
    except ValueError:
        return ""
    about = content.get("id") if isinstance(content, dict) else None
    return about if isinstance(about, str) else ""
