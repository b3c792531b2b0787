"""The pages where people make tokens and revoke them."""

from __future__ import annotations

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts.confirmation_page import ask_first
from accounts.models import User
from integrations.forms import TokenForm
from integrations.models import ApiToken
from integrations.tokens import TokenRefused, create_token, revoke_token


@login_required
@never_cache
@require_safe
def list_tokens(request: HttpRequest) -> HttpResponse:
    """All tokens that still work, and those that expired without being revoked."""
    tokens = ApiToken.objects.filter(user_id=request.user.pk or 0, revoked_at=None)
    return render(request, "integrations/token_list.html", {"tokens": tokens, "now": timezone.now()})


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret")
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token. Its secret is in this one answer and nowhere else, so the page does not redirect."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, secret = create_token(
                user=cast("User", request.user),
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                lifetime=form.lifetime,
            )
        except TokenRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return render(request, "integrations/token_created.html", {"token": token, "secret": secret})
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "integrations/token_new.html", {"form": form}, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke a token, after asking."""
    token = get_object_or_404(ApiToken, pk=token_id, user_id=request.user.pk, revoked_at=None)
    if request.method != "POST":
        return ask_first(
            request,
            question=f"Revoke “{token.name}”?",
            consequence="Programs that use this token stop working at once. This cannot be undone.",
            action="Revoke this token",
            back=reverse("integrations:tokens"),
        )
    revoke_token(token)
    messages.success(request, "The token is revoked.")
    return redirect("integrations:tokens")
