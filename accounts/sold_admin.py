"""Admin of what teachers sell: staff's changes take the same way as theirs, so catalogue, students and locks know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import BaseForm, BaseModelFormSet, ModelForm
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from unfold.admin import ModelAdmin

from money import Money

Rows = list[dict[str, Any]]


class SoldAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Base of its pages. `save_sold` writes an object with its rows through the function that the site's form calls."""

    # What that function raises. The page comes back as it was filled in, with the message at the field or table that
    # the exception's `about` names, or above all.
    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    # Orders name the teacher and their share is computed for them, so the teacher stays who it was.
    kept_once_made: ClassVar[tuple[str, ...]] = ("teacher",)

    def save_sold(self, *, sold: Any, form: ModelForm[Any], tables: Tables) -> None:
        """Write it. `tables` holds what the page said of the rows in its tables."""
        raise NotImplementedError

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), *(self.kept_once_made if obj else ())]

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Nothing yet: it is written together with its rows."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        for formset in formsets:
            # Writes nothing, and notes for the history what changed.
            formset.save(commit=False)
        self.save_sold(sold=form.instance, form=form, tables=Tables(formsets))

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        """Answer a refusal as Django answers a form with errors.

        Nothing was written, since the page's transaction ended with the exception. The request is answered once more, now
        by forms that know the refusal.
        """
        try:
            response: HttpResponseBase = super().changeform_view(request, *args, **options)
        except self.refusals as refusal:
            for upload in request.FILES.values():
                upload.seek(0)  # type: ignore[union-attr]  # one file for each name
            request.refusal = refusal  # type: ignore[attr-defined]  # read by the two methods below
            response = super().changeform_view(request, *args, **options)
        return response

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **options: Any) -> Any:
        form_class = super().get_form(request, obj, change, **options)
        refusal = getattr(request, "refusal", None)
        if refusal is None or _about(refusal) in self._names_of_tables(request, obj):
            return form_class
        return _refused_form(form_class, refusal)

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Model | None = None) -> Iterator[tuple[Any, Any]]:
        refusal = getattr(request, "refusal", None)
        for formset_class, inline in super().get_formsets_with_inlines(request, obj):
            if refusal is not None and _about(refusal) == formset_class.get_default_prefix():
                yield _refused_table(formset_class, refusal), inline
            else:
                yield formset_class, inline

    def _names_of_tables(self, request: HttpRequest, obj: Model | None) -> set[str]:
        return {formset.get_default_prefix() for formset, _ in super().get_formsets_with_inlines(request, obj)}


@dataclass(frozen=True, slots=True)
class RowChanges:
    """What a posted page changed in one table, by the model's names."""

    added: Rows = field(default_factory=list)
    changed: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    deleted: list[Any] = field(default_factory=list)


class Tables:
    """What a posted page said of the rows in its tables."""

    def __init__(self, formsets: Iterable[BaseModelFormSet[Any, Any]]) -> None:
        self._formsets = {formset.model: formset for formset in formsets}

    def changes_of(self, model: type[Model]) -> RowChanges:
        """What changed, for rows that are written one by one; nothing if the page does not show the table."""
        formset: Any = self._formsets.get(model)
        if formset is None:
            return RowChanges()
        names_of_ties = {model._meta.pk.name, formset.fk.name, "DELETE"}
        return RowChanges(
            added=[
                {name: value for name, value in form.cleaned_data.items() if name not in names_of_ties}
                for form in formset.extra_forms
                if form.instance in formset.new_objects
            ],
            changed=[(row, {name: getattr(row, name) for name in names}) for row, names in formset.changed_objects],
            deleted=formset.deleted_objects,
        )

    def rows_of(self, model: type[Model], *, stored: Iterable[Model]) -> Rows:
        """All rows as they shall be, with the model's names; the stored ones if the page does not show the table."""
        formset = self._formsets.get(model)
        if formset is None:
            return [{field.name: getattr(row, field.name) for field in model._meta.concrete_fields} for row in stored]
        cleaned = [form.cleaned_data for form in formset.forms]
        return [row for row in cleaned if row and not row.get("DELETE")]

    def prices_of(self, model: type[Model], *, stored: Iterable[Model]) -> list[Money]:
        """Rows with an amount and a currency."""
        return [Money(row["amount_minor"], row["currency"]) for row in self.rows_of(model, stored=stored)]


def _about(refusal: Exception) -> str:
    return str(getattr(refusal, "about", ""))


def _refused_form(form_class: type[BaseForm], refusal: Exception) -> type[BaseForm]:
    class RefusedForm(form_class):  # type: ignore[valid-type,misc]  # a class made by Django
        def clean(self) -> Any:
            cleaned = super().clean()
            self.add_error(_about(refusal) if _about(refusal) in self.fields else None, str(refusal))
            return cleaned

    return RefusedForm


def _refused_table(formset_class: type[Any], refusal: Exception) -> type[Any]:
    class RefusedTable(formset_class):  # type: ignore[misc]  # a class made by Django
        def clean(self) -> None:
            super().clean()
            raise ValidationError(str(refusal))

    return RefusedTable
