"""The page that asks before an act that cannot simply be undone. It works without JavaScript."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def ask_first(request: HttpRequest, *, question: str, consequence: str, action: str, back: str) -> HttpResponse:
    """Show what would happen, with a button that posts to the same address; below /teach/ with the desk's tabs."""
    context = {
        "question": question,
        "consequence": consequence,
        "action": action,
        "back": back,
        "is_teaching": request.path.startswith("/teach/"),
    }
    return render(request, "act_confirm.html", context)
