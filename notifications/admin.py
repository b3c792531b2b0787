"""Mails and alerts in the admin."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.template.exceptions import TemplateDoesNotExist, TemplateSyntaxError
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from jobs.models import DurableWork
from jobs.read_only_admin import ReadOnlyAdmin
from notifications.alerts import clear_alert
from notifications.delivery import RenderedMail, render
from notifications.models import Alert, Mail
from notifications.outbox import send_again

# Allows only the mail's own styles: no scripts, no external pictures, no forms, and framed only by the admin.
_PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'; sandbox"
_CONFIDENTIAL = "Not shown: it may contain a link that signs its reader in."


@admin.register(Mail)
class MailAdmin(DurableWorkAdmin):
    """Mails, sent and waiting, with a preview of what the recipient sees."""

    list_display = ["to", "template", "state_badge", "attempts", "next_run", "sent_at", "error_line"]
    list_filter = ["state", "template", "sent_at"]
    search_fields = ["to", "key", "searchable_subject"]
    actions = [*DurableWorkAdmin.actions, "send_again_selected"]
    fields = [
        ("to", "user"), "key", "template", "language", "sent_at", "again_of",
        "shown_subject", "shown_html", "shown_text", "attachment_names",
        *DurableWorkAdmin.readonly_fields,
    ]  # fmt: skip
    readonly_fields = [*fields[1:], "to", "user"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DurableWork]:
        """Annotate the searchable subject: searching hidden subjects would reveal them one character at a time."""
        is_confidential = When(template__startswith=Mail.CONFIDENTIAL_TEMPLATES, then=Value(""))
        return super().get_queryset(request).annotate(searchable_subject=Case(is_confidential, default="subject"))

    def get_urls(self) -> list[URLPattern]:
        preview = path("<int:pk>/html/", self.admin_site.admin_view(self.html_view), name="notifications_mail_html")
        return [preview, *super().get_urls()]

    def html_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Serve only the HTML, for the frame on the mail's page."""
        mail = self.get_object(request, str(pk))
        if mail is None or not self.has_view_permission(request, mail) or mail.is_confidential:
            raise Http404
        response = HttpResponse(_shown(mail).html)
        response.headers["Content-Security-Policy"] = _PREVIEW_POLICY
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    @display(description="subject")
    def shown_subject(self, mail: Mail) -> str:
        return _shown(mail).subject

    @display(description="text")
    def shown_text(self, mail: Mail) -> str:
        return format_html('<pre class="overflow-x-auto text-xs whitespace-pre-wrap">{}</pre>', _shown(mail).text)

    @display(description="HTML")
    def shown_html(self, mail: Mail) -> str:
        if mail.is_confidential:
            return _CONFIDENTIAL
        url = reverse("admin:notifications_mail_html", args=[mail.pk])
        return format_html(
            '<iframe title="The email as its reader sees it" sandbox src="{}" height="640"'
            ' class="bg-white border border-base-200 max-w-2xl rounded-default w-full"></iframe>',
            url,
        )

    @display(description="attachments")
    def attachment_names(self, mail: Mail) -> str:
        return ", ".join(attachment["name"] for attachment in mail.attachments) or "–"

    @admin.action(description="Send again, as a second email", permissions=["retry"])
    def send_again_selected(self, request: HttpRequest, selected: QuerySet[Mail]) -> None:
        """Send sent mails a second time, to people who lost them or whose address has been corrected."""
        sent = selected.filter(sent_at__isnull=False).select_related("user")
        for mail in sent:
            self.log_change(request, mail, f"Queued again as email {send_again(mail).pk}")
        left = selected.count() - len(sent)
        note = f" {left} skipped: not sent yet, so retry them instead." if left else ""
        level = messages.SUCCESS if sent else messages.WARNING
        self.message_user(request, f"Queued again: {len(sent)}.{note}", level)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Problems that need staff. They are cleared here by hand, or by the code that raised them."""

    list_display = ["title", "status", "occurrences", "opened_at", "last_seen_at"]
    list_filter = [("cleared_at", admin.EmptyFieldListFilter), "opened_at"]
    search_fields = ["title", "key"]
    ordering = ["-cleared_at", "-last_seen_at"]
    actions = ["clear_selected"]
    fields = ["title", "status", "page", "detail", "occurrences", "opened_at", "last_seen_at", "cleared_at", "key"]
    readonly_fields = fields

    def has_clear_permission(self, request: HttpRequest) -> bool:
        """Staff who may change alerts may clear them; nothing else about them can be changed."""
        return self.role_may_change(request)

    @display(description="status", label={"open": "danger", "cleared": "success"})
    def status(self, alert: Alert) -> tuple[str, str]:
        return ("cleared", "Cleared") if alert.cleared_at else ("open", "Open")

    @display(description="where to act")
    def page(self, alert: Alert) -> str:
        """A link to the page of this site on which staff solve the problem, if its detail names one."""
        url = alert.page
        return format_html('<a class="underline" href="{}">{}</a>', url, url) if url else "–"

    @admin.action(description="Clear", permissions=["clear"])
    def clear_selected(self, request: HttpRequest, selected: QuerySet[Alert]) -> None:
        cleared = [alert for alert in selected.filter(cleared_at__isnull=True) if clear_alert(key=alert.key)]
        for alert in cleared:
            self.log_change(request, alert, "Cleared")
        self.message_user(request, f"Cleared: {len(cleared)}.", messages.SUCCESS)


def _shown(mail: Mail) -> RenderedMail:
    """The mail as it was sent, or as it would be sent now."""
    if mail.is_confidential:
        return RenderedMail(subject="–", text=_CONFIDENTIAL, html="")
    if mail.sent_at:
        return RenderedMail(subject=mail.subject, text=mail.text_body, html=mail.html_body)
    try:
        return render(mail)
    except (TemplateDoesNotExist, TemplateSyntaxError) as error:
        return RenderedMail(subject="–", text=f"It cannot be rendered: {error!r}", html="")
