"""dj-stripe's copies of Stripe's objects, read-only: without dj-stripe's actions and forms, and without the keys.

dj-stripe's own pages list every property of an object, including its API key, offer commands to all staff, and search
by fields that its tables no longer have. So only the names of its columns are used. Its names for rows are replaced,
because many of them fail on a row without an amount, a currency or a related row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import djstripe.admin  # noqa: F401  # registers what is replaced below
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import BooleanField, CharField, DateTimeField, Field, JSONField, Model
from django.utils.html import format_html
from djstripe.models import APIKey, IdempotencyKey, StripeModel, WebhookEndpoint, WebhookEventTrigger
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from payments.admin.payloads import without_secrets

# The first two would hold unencrypted secrets; ours come from the environment. The others stay empty, since dj-stripe
# neither changes anything at Stripe nor receives webhooks here.
_HIDDEN = (APIKey, WebhookEndpoint, IdempotencyKey, WebhookEventTrigger)
_FIRST = ("id", "created", "livemode", "djstripe_owner_account")


class StripeRecordAdmin(ReadOnlyAdmin, ModelAdmin):
    """The base of all their pages: the columns, and the whole object from Stripe."""

    list_select_related = False
    show_full_result_count = False
    ordering = ("-djstripe_id",)
    search_fields = ("id",)

    @display(description="All of it, without secrets")
    def pretty_data(self, record: StripeModel) -> str:
        written = json.dumps(record.stripe_data, indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", without_secrets(written))


def show_only() -> None:
    """Replace dj-stripe's pages, and its names for rows, with ours."""
    models = list(apps.get_app_config("djstripe").get_models())
    for model in models:
        # On the class itself, because pages also name the rows that a row refers to.
        model.__str__ = _name_of  # type: ignore[method-assign, assignment]
    for model in filter(admin.site.is_registered, models):
        columns = admin.site.get_model_admin(model).list_display
        admin.site.unregister(model)
        if model not in _HIDDEN:
            admin.site.register(model, _admin_of(model, columns))


def _name_of(record: Model) -> str:
    return f"{record._meta.verbose_name} {getattr(record, 'id', record.pk)}"


def _admin_of(model: type[Model], columns: Iterable[Any]) -> type[StripeRecordAdmin]:
    stored = {field.name: field for field in model._meta.concrete_fields if not isinstance(field, JSONField)}
    fields = [*_FIRST, *sorted(stored.keys() - {*_FIRST, "djstripe_id"}), "pretty_data"]
    names = {
        "list_display": _list_display(model, columns),
        "list_filter": [name for name in (*columns, "livemode", "created") if _is_filter(stored.get(name))],
        "fields": fields,
        "readonly_fields": fields,
    }
    return type(f"{model.__name__}Admin", (StripeRecordAdmin,), names)


def _list_display(model: type[Model], columns: Iterable[Any]) -> list[Any]:
    taken_over = [name for name in columns if name not in ("__str__", *_FIRST)]
    return ["id", *(_column(model, name) for name in taken_over), "created", "livemode"]


def _column(model: type[Model], name: str) -> str | Callable[[StripeModel], Any]:
    """A column of the table (a relation by its id); without one, the value is read from the whole object."""
    try:
        return str(model._meta.get_field(name).attname)  # type: ignore[union-attr]  # relations from elsewhere are no columns
    except FieldDoesNotExist:
        return _from_data(name)


def _from_data(name: str) -> Callable[[StripeModel], Any]:
    def value(record: StripeModel) -> Any:
        return record.stripe_data.get(name)

    return admin.display(description=name.replace("_", " "))(value)


def _is_filter(field: Field[Any, Any] | None) -> bool:
    """Whether a field has few values. A relation has many: the filter would list every customer."""
    if field is None or field.is_relation:
        return False
    return isinstance(field, BooleanField | DateTimeField) or (isinstance(field, CharField) and field.name != "id")
