"""Gives a member of staff the permissions of the role they took in an emergency, for as long as it runs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Permission

from accounts.models import User
from operations.models import EmergencyAccess

# Permission to change accounts would let a person make the role permanent.
_NEVER = frozenset({"accounts.add_user", "accounts.change_user", "operations.take_emergencyaccess"})


class EmergencyAccessBackend(BaseBackend):
    """Named in AUTHENTICATION_BACKENDS. It authenticates no person; it only adds permissions."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:  # noqa: ARG002  # Django's signature
        """The role's permissions. Asked once for each request, whose account is loaded anew."""
        if not (isinstance(user_obj, User) and user_obj.is_active and user_obj.is_staff):
            return set()
        if not hasattr(user_obj, "emergency_permissions"):
            access = access_of(user_obj)
            user_obj.emergency_permissions = _permissions_of(access.role) if access else set()  # type: ignore[attr-defined]
        found: set[str] = user_obj.emergency_permissions  # type: ignore[attr-defined]
        return found


def access_of(user: User) -> EmergencyAccess | None:
    """The access that a person has now, remembered with the account as it was loaded for a request."""
    if not hasattr(user, "emergency_access"):
        user.emergency_access = EmergencyAccess.objects.running().filter(user=user).first()  # type: ignore[attr-defined]
    found: EmergencyAccess | None = user.emergency_access  # type: ignore[attr-defined]
    return found


def _permissions_of(role: str) -> set[str]:
    codenames = Permission.objects.filter(group__name=role).values_list("content_type__app_label", "codename")
    return {f"{label}.{codename}" for label, codename in codenames.order_by()} - _NEVER
