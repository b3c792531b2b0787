"""Staff read all versions, and publish the next one of a page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.models import User
from pages.kinds import PageKind
from pages.models import PageVersion
from pages.publishing import current_version, publish_version


@admin.register(PageVersion)
class PageVersionAdmin(ModelAdmin):
    """Versions are never changed or deleted: publishing one adds it."""

    fields = ["kind", "text"]
    list_display = ["title", "number", "published_at", "published_by"]
    list_filter = ["kind"]
    list_select_related = ["published_by"]
    search_fields = ["text"]

    def is_on_site(self, _version: PageVersion) -> bool:
        return True

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """Begin with the current text of the page that `?kind=` names."""
        form = super().get_form(request, obj, change, **options)
        kind = request.GET.get("kind", "")
        if current := current_version(PageKind(kind)) if kind in PageKind.values else None:
            form.base_fields["kind"].initial = kind
            form.base_fields["text"].initial = current.text
        return form

    def save_model(self, request: HttpRequest, obj: PageVersion, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)  # noqa: S101  # the admin requires a sign-in
        published = publish_version(kind=PageKind(obj.kind), text=obj.text, by=request.user)
        # The admin links to what was saved.
        obj.pk, obj.number = published.pk, published.number
