"""Rules for every model's admin: lists take only declared filters, and no address or form causes a server error."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import TO_FIELD_VAR, IncorrectLookupParameters, ModelAdmin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import BadRequest, FieldDoesNotExist
from django.db import DataError, transaction
from django.db.models import Field, Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from config.list_fields import ListFormField
from config.relation_boxes import can_be_value_of, show_possible_rows_only


def guard(admin_class: type[ModelAdmin[Any]]) -> type[ModelAdmin[Any]]:
    """Put `GuardedAdmin` before a class in the order of its methods, and let its labels be read on every page."""
    names: dict[str, Any] = {"__module__": admin_class.__module__, "__doc__": admin_class.__doc__}
    columns = {name: getattr(admin_class, name, None) for name in dir(admin_class)}
    labels = {name: _with_words(column) for name, column in columns.items() if hasattr(column, "label")}
    return type(admin_class.__name__, (GuardedAdmin, admin_class), names | labels)


class Label(tuple[str, str]):
    """A value and its words. Unfold colours it in lists by the value, but prints it as it is on an object's page."""

    __slots__ = ()

    def __str__(self) -> str:
        return self[1]


def _with_words(column: Any) -> Callable[..., Any]:
    @wraps(column)
    def shown(*args: Any) -> Any:
        value = column(*args)
        return Label(value) if isinstance(value, tuple) else value

    return shown


class DeclaredLookups:
    """Mixin for a ChangeList: accepts in the address only what the list's own filters put there.

    Django lets the address filter by any field of the model, shown or not. The number of rows would then reveal a
    password hash one character at a time.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            found = super().get_filters(request)  # type: ignore[misc]  # ChangeList has it
        except ValueError as error:
            # From the date hierarchy, whose last year is 9998.
            raise IncorrectLookupParameters(error) from error
        # Each filter has removed its own parameters.
        _, _, left_over, *_ = found
        if undeclared := left_over.keys() - self._bounds_of_the_date_hierarchy():
            raise DisallowedModelAdminLookup(f"No filter of this list uses {', '.join(sorted(undeclared))}.")
        return found

    def _bounds_of_the_date_hierarchy(self) -> set[str]:
        hierarchy = self.date_hierarchy  # type: ignore[attr-defined]
        return {f"{hierarchy}__gte", f"{hierarchy}__lt"} if hierarchy else set()


@cache
def _declared_only(list_class: type[ChangeList]) -> type[ChangeList]:
    return type(list_class.__name__, (DeclaredLookups, list_class), {"__module__": list_class.__module__})


class GuardedAdmin:
    """Mixin that the site puts before every ModelAdmin, so its methods may rely on those of ModelAdmin."""

    model: type[Model]

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return _declared_only(super().get_changelist(request, **options))  # type: ignore[misc]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Refuse values that the database cannot compare, and dates out of range, as Django refuses other mistakes."""
        try:
            with transaction.atomic():
                shown: ChangeList = super().get_changelist_instance(request)  # type: ignore[misc]
        except (DataError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error
        return shown

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out actions without a permission: Django lets all staff who see the list run those."""
        actions = super().get_actions(request)  # type: ignore[misc]
        return {name: action for name, action in actions.items() if getattr(action[0], "allowed_permissions", None)}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:  # noqa: ARG002  # Django's signature
        """Nothing. Django would prefill forms from the address, so a link could, even with values no widget can show."""
        return {}

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **options: Any) -> Any:
        if isinstance(db_field, ArrayField):
            options.setdefault("form_class", ListFormField)
        # By name, as Django does: waffle's admin accepts it only so.
        form_field = super().formfield_for_dbfield(db_field, request=request, **options)  # type: ignore[misc]
        if form_field and db_field.is_relation:
            show_possible_rows_only(form_field.widget, db_field.target_field)  # type: ignore[attr-defined]
        return form_field

    def get_view_on_site_url(self, obj: Model | None = None) -> str | None:
        """Only for what every visitor can open, which a model's admin says in `is_on_site`; else the link were a 404."""
        is_on_site = getattr(self, "is_on_site", None)
        if obj is None or is_on_site is None or not is_on_site(obj):
            return None
        url: str | None = super().get_view_on_site_url(obj)  # type: ignore[misc]
        return url

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        field = self._key(from_field)
        if field is None or not can_be_value_of(field, object_id):
            return None
        found: Model | None = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        return found

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        """Check the id first: unfold looks up an object's buttons before it checks that the object exists."""
        field = self._key(request.POST.get(TO_FIELD_VAR, request.GET.get(TO_FIELD_VAR)))
        if object_id is not None and (field is None or not can_be_value_of(field, unquote(object_id))):
            raise Http404
        response: HttpResponseBase = super().changeform_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )
        return response

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        """Refuse impossible ids of chosen rows before an action queries them."""
        key = self.model._meta.pk
        if not all(can_be_value_of(key, chosen) for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("These rows cannot exist.")
        response: HttpResponseBase | None = super().response_action(request, queryset)  # type: ignore[misc]
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Django's notes on the object, with a link to its audit trail for staff who may see that."""
        trail = ""
        if request.user.has_perm("operations.view_change"):
            about = {"kind": self.model._meta.label_lower, "object": unquote(object_id)}
            trail = f"{reverse('admin:operations_change_changelist')}?{urlencode(about)}"
        response: HttpResponseBase = super().history_view(  # type: ignore[misc]
            request, object_id, {**(extra_context or {}), "trail_url": trail}
        )
        return response

    def _key(self, name: str | None) -> Field[Any, Any] | None:
        """The field by which an object is looked up; None if there is no such field."""
        try:
            return self.model._meta.get_field(name) if name else self.model._meta.pk  # type: ignore[return-value]
        except FieldDoesNotExist:
            return None
