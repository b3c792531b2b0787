"""One-click sign-in and the mailbox. Installed in development only: `demo.apps` refuses to load elsewhere."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from demo.accounts import ACCOUNTS, PASSWORD
from notifications.attachments import content_of, file_name
from notifications.models import Mail

MAILS_SHOWN = 200
# The mail is our own, but it quotes what people wrote. It may contain styles and nothing active.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"


@require_safe
def show_landing(request: HttpRequest) -> HttpResponse:
    """Show the demo's accounts."""
    context = {
        "accounts": ACCOUNTS,
        "password": PASSWORD,
        "sandbox_url": settings.SANDBOX_URL if settings.PAYMENTS_MODE == "sandbox" else "",
    }
    return render(request, "demo/account_list.html", context)


@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the demo's accounts, and no other."""
    known = {account.email for account in ACCOUNTS}
    email = request.POST.get("email", "")
    user = User.objects.filter(email=email, is_active=True).first() if email in known else None
    if user is None:
        messages.error(request, "There is no such demo account. Run `make demo` again to make it.")
        return redirect("demo:landing")
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    next_url = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(next_url, allowed_hosts={request.get_host()}):
        next_url = settings.LOGIN_REDIRECT_URL
    return redirect(next_url)


@require_safe
def list_mails(request: HttpRequest) -> HttpResponse:
    """List the mails that were sent or are waiting; htmx requests only the rows again."""
    mails = Mail.objects.order_by("-pk")[:MAILS_SHOWN]
    template = "demo/_mail_rows.html" if "refresh" in request.GET else "demo/mail_list.html"
    return render(request, template, {"mails": mails})


@require_safe
def show_mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Show one mail as its reader sees it."""
    return render(request, "demo/mail_show.html", {"mail": get_object_or_404(Mail, pk=mail_id)})


@require_safe
@xframe_options_sameorigin
def show_mail_html(_request: HttpRequest, mail_id: int) -> HttpResponse:
    """Return the HTML of one mail, for the frame on its page. Its links open outside the frame."""
    mail = get_object_or_404(Mail, pk=mail_id)
    response = HttpResponse(f'<base target="_blank">{mail.html_body}')
    response["Content-Security-Policy"] = MAIL_POLICY
    return response


@require_safe
def open_attachment(_request: HttpRequest, mail_id: int, index: int) -> HttpResponse:
    """Return an attachment as it was sent; the first one has index 0."""
    attachments = get_object_or_404(Mail, pk=mail_id).attachments
    if index >= len(attachments):
        raise Http404
    response = HttpResponse(content_of(attachments[index]), content_type=attachments[index]["mime"])
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=file_name(attachments[index])
    )
    return response
