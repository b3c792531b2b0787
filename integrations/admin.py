"""Staff see which tokens exist and can revoke them, without their secrets."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from integrations.models import ApiToken
from integrations.tokens import revoke_token
from jobs.read_only_admin import ReadOnlyAdmin


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """People make their tokens on a page of their own; staff may end one that has leaked."""

    fields = ["user", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_display = ["name", "prefix", "user", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_filter = ["created_at", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["name", "prefix", "user__email"]
    actions = ["revoke_selected"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Staff whose role may change tokens."""
        return self.role_may_change(request)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, selected: QuerySet[ApiToken]) -> None:
        """End the selected tokens at once."""
        tokens = list(selected.filter(revoked_at=None))
        for token in tokens:
            revoke_token(token)
            self.log_change(request, token, "Revoked")
        self.message_user(request, f"Revoked: {len(tokens)}.", messages.SUCCESS if tokens else messages.WARNING)
