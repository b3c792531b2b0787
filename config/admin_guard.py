"""What holds on every model's admin: lists answer declared questions only, and no address or form makes an error."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import TO_FIELD_VAR, IncorrectLookupParameters, ModelAdmin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, FieldDoesNotExist
from django.db import DataError, transaction
from django.db.models import Field, Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from config.relation_boxes import can_be_value_of, show_possible_rows_only


def guard(admin_class: type[ModelAdmin[Any]]) -> type[ModelAdmin[Any]]:
    """Return the class with `GuardedAdmin` before it."""
    names = {"__module__": admin_class.__module__, "__doc__": admin_class.__doc__}
    return type(admin_class.__name__, (GuardedAdmin, admin_class), names)


class DeclaredLookups:
    """Put before a ChangeList: takes from the address what the list's own filters put there, and refuses the rest.

    Django lets the address filter by any field of the model, shown or not. The number of rows then gives away a password
    hash one character at a time.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            found = super().get_filters(request)  # type: ignore[misc]  # what it is put before has it
        except ValueError as error:
            # Of the date hierarchy, whose last year is 9998.
            raise IncorrectLookupParameters(error) from error
        # Each filter took out what belongs to it.
        _, _, left_over, *_ = found
        if undeclared := left_over.keys() - self._bounds_of_the_date_hierarchy():
            raise DisallowedModelAdminLookup(f"No filter of this list asks for {', '.join(sorted(undeclared))}.")
        return found

    def _bounds_of_the_date_hierarchy(self) -> set[str]:
        hierarchy = self.date_hierarchy  # type: ignore[attr-defined]
        return {f"{hierarchy}__gte", f"{hierarchy}__lt"} if hierarchy else set()


@cache
def _declared_only(list_class: type[ChangeList]) -> type[ChangeList]:
    return type(list_class.__name__, (DeclaredLookups, list_class), {"__module__": list_class.__module__})


class GuardedAdmin:
    """Put before a ModelAdmin by the site, so its methods may count on those of ModelAdmin."""

    model: type[Model]

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return _declared_only(super().get_changelist(request, **options))  # type: ignore[misc]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Refuse a value that the database cannot compare, or a date before all time zones, as Django refuses others."""
        try:
            with transaction.atomic():
                shown: ChangeList = super().get_changelist_instance(request)  # type: ignore[misc]
        except (DataError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error
        return shown

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out actions that name no permission: Django lets everybody who sees the list run those."""
        actions = super().get_actions(request)  # type: ignore[misc]
        return {name: action for name, action in actions.items() if getattr(action[0], "allowed_permissions", None)}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:  # noqa: ARG002  # Django's signature
        """Nothing: a form that the address fills in can be filled in by a link, and by values no widget can show."""
        return {}

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **options: Any) -> Any:
        # By name, as Django does: waffle's admin takes it that way only.
        form_field = super().formfield_for_dbfield(db_field, request=request, **options)  # type: ignore[misc]
        if form_field and db_field.is_relation:
            show_possible_rows_only(form_field.widget, db_field.target_field)  # type: ignore[attr-defined]
        return form_field

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
        """Unfold asks which buttons an object has before it asks whether it is there."""
        field = self._key(request.POST.get(TO_FIELD_VAR, request.GET.get(TO_FIELD_VAR)))
        if object_id is not None and (field is None or not can_be_value_of(field, unquote(object_id))):
            raise Http404
        response: HttpResponseBase = super().changeform_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )
        return response

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        """Refuse chosen rows that cannot exist before an action looks for them."""
        key = self.model._meta.pk
        if not all(can_be_value_of(key, chosen) for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("These rows cannot exist.")
        response: HttpResponseBase | None = super().response_action(request, queryset)  # type: ignore[misc]
        return response

    def _key(self, name: str | None) -> Field[Any, Any] | None:
        """Return the field that an object is found by, None if there is no such field."""
        try:
            return self.model._meta.get_field(name) if name else self.model._meta.pk  # type: ignore[return-value]
        except FieldDoesNotExist:
            return None
