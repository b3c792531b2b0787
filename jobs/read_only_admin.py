"""Admin pages that staff may only look at, whatever their role: these rows change through the site's own functions."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


class ReadOnlyAdmin:
    """Put before ModelAdmin or an inline: no adding, no changing, no deleting."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def role_may_change(self, request: HttpRequest) -> bool:
        """Whether the role alone would allow changes: for the actions, which are the only way to change a row."""
        return bool(super().has_change_permission(request))  # type: ignore[misc]  # what it is put before has it
