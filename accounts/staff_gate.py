"""The one way into the admin: signed in on the site's own page, as staff, with a second factor."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class StaffGateMiddleware:
    """Guards every address under the admin, whichever view answers it.

    Being a middleware, it also covers the admin's own sign-in form, which asks for no second factor, and the views that
    other apps put below the admin's address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(reverse("admin:index")):
            if not comes_from_admin_network(request):
                raise Http404
            refusal = refuse_entry(request)
            if refusal:
                return refusal
        return self.get_response(request)


def comes_from_admin_network(request: HttpRequest) -> bool:
    """Whether the admin exists for the address that a request comes from. Only our own proxies' headers are trusted."""
    if not settings.ADMIN_NETWORKS:
        return True
    try:
        address = ip_address(get_adapter().get_client_ip(request))
    except (PermissionDenied, ValueError):
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in settings.ADMIN_NETWORKS)


def refuse_entry(request: HttpRequest) -> HttpResponse | None:
    """Return a redirect away from the admin, or None for staff who may enter. Raises PermissionDenied for non-staff."""
    user = request.user
    if not user.is_authenticated:
        # The posted data is lost, so people return to the admin's first page rather than to an address that only takes
        # posts.
        wanted = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return redirect_to_login(wanted, reverse("account_login"))
    if not (user.is_active and user.is_staff):
        raise PermissionDenied("The admin is for staff.")
    if settings.STAFF_NEEDS_MFA and not has_used_second_factor(request):
        return _ask_for_second_factor(request)
    return None


def has_used_second_factor(request: HttpRequest) -> bool:
    """Whether this session, not just this account, has used a second factor that is still set up."""
    if not is_mfa_enabled(request.user, SECOND_FACTORS):
        return False
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


def _ask_for_second_factor(request: HttpRequest) -> HttpResponse:
    if not is_mfa_enabled(request.user, SECOND_FACTORS):
        messages.warning(
            request,
            "Staff need two-factor authentication. Verify your email address, then set up an authenticator app or passkey.",
        )
        return redirect("mfa_index")
    has_app = is_mfa_enabled(request.user, [Authenticator.Type.TOTP])
    page = reverse("mfa_reauthenticate" if has_app else "mfa_reauthenticate_webauthn")
    return redirect(f"{page}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}")
