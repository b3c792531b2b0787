"""Which lists of the admin a member of staff may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest


def may_see(model: type[Model], request: HttpRequest) -> bool:
    """Whether the model has a list that this member of staff may view."""
    return admin.site.is_registered(model) and admin.site.get_model_admin(model).has_view_permission(request)


def visible_models(request: HttpRequest) -> Iterator[type[Any]]:
    """The models whose lists this member of staff may view."""
    return (model for model in apps.get_models() if may_see(model, request))
