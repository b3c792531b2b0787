"""Mails and alerts in the admin."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.exceptions import TemplateDoesNotExist, TemplateSyntaxError
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from jobs.models import DurableWork
from jobs.read_only_admin import ReadOnlyAdmin
from notifications.alerts import acknowledge_alert, clear_alert
from notifications.delivery import RenderedMail, render
from notifications.models import Alert, Mail, kind_of
from notifications.outbox import send_again

# Allows only the mail's own styles: no scripts, no external pictures, no forms, and framed only by the admin.
_PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'; sandbox"
# Of an email that has not been sent.
_STATES = {"waiting": "Waiting", "running": "Being sent", "done": "Not sent", "parked": "Failed"}
_CONFIDENTIAL = "Not shown: it may contain a link that signs its reader in."


class KindFilter(admin.SimpleListFilter):
    """Emails by what they are about: by their template, in words."""

    title = "kind"
    parameter_name = "template"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # Django's signature
        templates = Mail.objects.order_by("template").values_list("template", flat=True).distinct()
        return [(template, kind_of(template)) for template in templates]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        return queryset.filter(template=self.value()) if self.value() else queryset


@admin.register(Mail)
class MailAdmin(DurableWorkAdmin):
    """Mails, sent and waiting, with a preview of what the recipient sees."""

    list_display = ["title", "to", "shown_state", "shown_when", "error_line"]
    list_filter = ["state", KindFilter, "sent_at"]
    search_fields = ["to", "key", "searchable_subject"]
    actions = [*DurableWorkAdmin.actions, "send_again_selected"]
    fields = [
        "shown_state", ("to", "user"), "kind", "shown_subject", "error_text", "attempts", "run_after", "sent_at",
        "created_at", "again_of", "shown_html", "shown_text", "attachment_names", "key",
    ]  # fmt: skip
    readonly_fields = [name for name in fields if isinstance(name, str)] + ["to", "user"]

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

    @display(description="email")
    def title(self, mail: Mail) -> str:
        return mail.title

    @display(description="kind")
    def kind(self, mail: Mail) -> str:
        return kind_of(mail.template)

    @display(
        description="state",
        ordering="state",
        label={"sent": "success", "waiting": "info", "running": "info", "done": "warning", "parked": "danger"},
    )
    def shown_state(self, mail: Mail) -> tuple[str, str]:
        return ("sent", "Sent") if mail.sent_at else (mail.state, _STATES[mail.state])

    @display(description="sent, or next try", ordering="sent_at")
    def shown_when(self, mail: Mail) -> datetime | None:
        return mail.sent_at or self.next_run(mail)

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


class AlertFilter(admin.SimpleListFilter):
    """What staff look for: alerts that no member of staff has taken on."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # Django's signature
        return [("unread", "To read"), ("open", "Open"), ("cleared", "Cleared")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        match self.value():
            case "unread":
                return queryset.filter(pk__in=Alert.objects.unread())
            case "open":
                return queryset.filter(pk__in=Alert.objects.open())
            case "cleared":
                return queryset.filter(cleared_at__isnull=False)
        return queryset


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Problems that need staff: what happened, what to do, and where. Cleared by hand, or by the code that raised them."""

    list_display = ["title", "status", "page", "occurrences", "last_seen_at"]
    list_filter = [AlertFilter, "opened_at"]
    search_fields = ["title", "key"]
    ordering = ["-cleared_at", "-last_seen_at"]
    actions = ["acknowledge_selected", "clear_selected"]
    list_select_related = ["acknowledged_by"]
    change_form_outer_before_template = "notifications/admin/_alert.html"
    fields = ["status", "occurrences", "opened_at", "last_seen_at", "acknowledged", "cleared_at"]
    readonly_fields = fields

    def has_clear_permission(self, request: HttpRequest) -> bool:
        """Staff who may change alerts may acknowledge and clear them; nothing else about them can be changed."""
        return self.role_may_change(request)

    def get_urls(self) -> list[URLPattern]:
        settle = path(
            "<int:pk>/settle/", self.admin_site.admin_view(self.settle_view), name="notifications_alert_settle"
        )
        return [settle, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        context = {**(extra_context or {}), "may_clear": self.has_clear_permission(request)}
        answer: HttpResponseBase = super().change_view(request, object_id, form_url, context)
        return answer

    def settle_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Acknowledge or clear the alert, as its page offers."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        alert = self.get_object(request, str(pk))
        if alert is None or not self.has_view_permission(request, alert):
            raise Http404
        if not self.has_clear_permission(request):
            raise PermissionDenied
        if request.POST.get("do") == "clear":
            self._clear(request, [alert])
        else:
            self._acknowledge(request, [alert])
        return HttpResponseRedirect(reverse("admin:notifications_alert_change", args=[pk]))

    @display(description="status", label={"open": "danger", "acknowledged": "warning", "cleared": "success"})
    def status(self, alert: Alert) -> tuple[str, str]:
        if alert.cleared_at:
            return "cleared", "Cleared"
        return ("acknowledged", "Acknowledged") if alert.acknowledged_at else ("open", "To read")

    @display(description="where to act")
    def page(self, alert: Alert) -> str:
        """A link to the page of this site on which staff solve the problem, if its detail names one."""
        return format_html('<a class="underline" href="{}">Solve it</a>', alert.page) if alert.page else "–"

    @display(description="acknowledged")
    def acknowledged(self, alert: Alert) -> str:
        if not alert.acknowledged_at:
            return "–"
        at = date_format(localtime(alert.acknowledged_at), "DATETIME_FORMAT")
        return f"{at} by {alert.acknowledged_by}" if alert.acknowledged_by else at

    @admin.action(description="Acknowledge: I will deal with it", permissions=["clear"])
    def acknowledge_selected(self, request: HttpRequest, selected: QuerySet[Alert]) -> None:
        self._acknowledge(request, selected.filter(cleared_at__isnull=True))

    @admin.action(description="Clear: it is solved", permissions=["clear"])
    def clear_selected(self, request: HttpRequest, selected: QuerySet[Alert]) -> None:
        self._clear(request, selected.filter(cleared_at__isnull=True))

    def _acknowledge(self, request: HttpRequest, alerts: Iterable[Alert]) -> None:
        taken = [alert for alert in alerts if acknowledge_alert(alert, by_id=request.user.pk or 0)]
        for alert in taken:
            self.log_change(request, alert, "Acknowledged")
        self.message_user(request, f"Acknowledged: {len(taken)}.", messages.SUCCESS)

    def _clear(self, request: HttpRequest, alerts: Iterable[Alert]) -> None:
        cleared = [alert for alert in alerts if clear_alert(key=alert.key)]
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
