"""Our admin site. Its rules apply to every list and page, whichever library the model comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.sites import UnfoldAdminSite

from config.admin_guard import guard

AdminView = Callable[..., HttpResponseBase]


class LecternAdminSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    """Unfold's site whose model admins are all guarded."""

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        super().register(model_or_iterable, guard(admin_class or ModelAdmin), **options)

    def get_urls(self) -> list[URLPattern]:
        view_on_site = path(
            "r/<int:content_type_id>/<path:object_id>/", self.admin_view(self.view_on_site), name="view_on_site"
        )
        return [view_on_site, *super().get_urls()]

    def admin_view(self, view: AdminView, cacheable: bool = False) -> AdminView:
        """Refuse NUL in the query string on every page, because lists pass values from the address to the database."""

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
            if any("\0" in text for name, texts in request.GET.lists() for text in (name, *texts)):
                raise BadRequest("NUL in a query.")
            return view(request, *args, **options)

        checked: AdminView = super().admin_view(guarded, cacheable)
        return checked

    def view_on_site(self, request: HttpRequest, content_type_id: int, object_id: str) -> HttpResponseBase:
        """Redirect to an object's page on the site, for staff who may view it in the admin.

        Django redirects for any object of any model, which reveals to staff without permissions what exists.
        """
        model = _model_of(content_type_id)
        model_admin = self._registry.get(model) if model else None
        found = model_admin.get_object(request, object_id) if model_admin else None
        if model_admin is None or found is None or not model_admin.has_view_permission(request, found):
            raise Http404
        return shortcut(request, content_type_id, object_id)

    def has_box_for(self, app_label: str, model_name: str, field_name: str) -> bool:
        """Whether a form of the admin, or an inline row in one, has an autocomplete box for this relation."""
        label = f"{app_label}.{model_name}".lower()
        return any(
            form.model._meta.label_lower == label and field_name in form.autocomplete_fields
            for model_admin in self._registry.values()
            for form in (model_admin, *model_admin.inlines)
        )

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:  # noqa: ARG002  # Django's signature
        """Redirect to the site's own page, which limits guesses at the current password and reports the change by mail."""
        return HttpResponseRedirect(reverse("account_change_password"))

    password_change_done = password_change

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return DeclaredAutocompleteView.as_view(admin_site=self)(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Find orders, people, payouts, Stripe's ids and pages: a list below the box for htmx, else a page of its own."""
        # Imported here, because it imports models, and this module is imported before they can be.
        from config.admin_search import search

        text = request.GET.get("s", "")
        found = {"results": search(request, text), "search_text": text[:200]}
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, "admin/_search_results.html", found)
        title = f"Search for “{text[:100]}”" if text.strip() else "Search"
        context = {**self.each_context(request), **(extra_context or {}), **found, "title": title}
        return TemplateResponse(request, "admin/search.html", context)


class DeclaredAutocompleteView(AutocompleteJsonView):
    """Completes only relations for which a form of the admin has a box. Django completes every relation there is."""

    admin_site: LecternAdminSite

    def process_request(self, request: HttpRequest) -> Any:
        relation = (request.GET.get(name, "") for name in ("app_label", "model_name", "field_name"))
        if "\0" in request.GET.get("term", "") or not self.admin_site.has_box_for(*relation):
            raise PermissionDenied
        return super().process_request(request)


def _model_of(content_type_id: int) -> type[Model] | None:
    content_type = ContentType.objects.filter(pk=content_type_id).first()
    return content_type.model_class() if content_type else None
