"""What payments adds to the context of every page."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from payments.domains import domain_configs
from payments.visitor_cart import cart_of


def domains(_request: HttpRequest) -> dict[str, object]:
    """The domains, for the links to what a student bought and what a teacher sells."""
    return {"domains": domain_configs()}


def cart_line_count(request: HttpRequest) -> dict[str, object]:
    """Number of lines in the visitor's cart, counted only if the page shows it."""
    return {"cart_line_count": SimpleLazyObject(lambda: _count(request))}


def _count(request: HttpRequest) -> int:
    if not hasattr(request, "session") or not hasattr(request, "user"):
        return 0  # the request was refused before its session was loaded
    cart = cart_of(request)
    return cart.lines.count() if cart else 0
