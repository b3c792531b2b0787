"""The content security policy of all pages, and the looser one that the admin's interface needs."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

# Unfold is built on Alpine.js, which evaluates expressions in the markup and sets styles from them. Only staff with a
# second factor can open the admin, and Django's admin escapes what it shows.
_ADMIN = {
    "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}


class ContentSecurityMiddleware(CSPMiddleware):
    """Sends the strict policy of the settings, and a looser one only for addresses under the admin."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """The parts from which django-csp builds the header."""
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(reverse("admin:index")):
            parts.replace = {**(parts.replace or {}), **_ADMIN}
        return parts
