"""Admin of what teachers sell: staff's changes take the same way as theirs, so catalogue, students and locks know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import Model
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from unfold.admin import ModelAdmin

from money import Money

Rows = list[dict[str, Any]]


class SoldAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Base of its pages. `save_sold` writes an object with its rows through the function that the site's form calls."""

    # What that function raises; the messages are shown.
    refusals: ClassVar[tuple[type[Exception], ...]] = ()

    def save_sold(self, *, sold: Any, form: ModelForm[Any], tables: Tables) -> None:
        """Write it. `tables` holds what the page said of the rows in its tables."""
        raise NotImplementedError

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Orders name the teacher and their share is computed for them, so the teacher stays who it was."""
        return [*super().get_readonly_fields(request, obj), *(["teacher"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Nothing yet: it is written together with its rows."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        for formset in formsets:
            # Writes nothing, and notes for the history what changed.
            formset.save(commit=False)
        self.save_sold(sold=form.instance, form=form, tables=Tables(formsets))

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        """Say why it was refused. Nothing was written, since the page's transaction ends with the exception."""
        try:
            response: HttpResponseBase = super().changeform_view(request, *args, **options)
        except self.refusals as refusal:
            self.message_user(request, f"Not saved. {refusal}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return response


class Tables:
    """What a posted page said of the rows in its tables."""

    def __init__(self, formsets: Iterable[BaseModelFormSet[Any, Any]]) -> None:
        self._formsets = {formset.model: formset for formset in formsets}

    def formset_of(self, model: type[Model]) -> BaseModelFormSet[Any, Any] | None:
        """The table itself, for rows that are written one by one."""
        return self._formsets.get(model)

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
