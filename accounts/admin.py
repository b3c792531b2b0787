"""Users and staff groups in the admin. Teachers are in `teacher_admin`."""

from __future__ import annotations

from typing import Any

# Imported so that they register first; the lines below replace their registrations.
import allauth.account.admin  # for what it registers
import allauth.mfa.admin  # noqa: F401  # for what it registers
import django.contrib.auth.admin  # noqa: F401  # for what it registers
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import User
from accounts.names import NameField
from accounts.roles import ROLES
from accounts.staff_gate import SECOND_FACTORS
from accounts.teacher_admin import TeacherAdmin

__all__ = ["EmailAddressAdmin", "GroupAdmin", "PermissionAdmin", "TeacherAdmin", "UserAdmin"]

# allauth's admin page for it would show the secrets of people's second factors.
admin.site.unregister([Authenticator, EmailAddress, Group])


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy only, not at run time
    """No password: people choose it themselves through the link "Forgot your password?"."""

    full_name = NameField(label="Name", required=False, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = User
        fields = ("email", "full_name", "time_zone", "language", "is_active", "is_staff", "groups")

    def clean_is_staff(self) -> bool:
        """Refuse staff status without a second factor: a stolen password alone would let a thief set one up."""
        wanted: bool = self.cleaned_data["is_staff"]
        becomes_staff = wanted and not self.instance.is_staff
        has_mfa = Authenticator.objects.filter(user_id=self.instance.pk, type__in=SECOND_FACTORS).exists()
        if becomes_staff and settings.STAFF_NEEDS_MFA and not has_mfa:
            raise ValidationError("They must set up two-factor authentication first.")
        return wanted

    def save(self, commit: bool = True) -> User:
        """Save; a new user gets an unusable password."""
        if self.instance.pk is None:
            self.instance.set_unusable_password()
        user: User = super().save(commit)
        return user


@admin.register(User)
class UserAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """People. Only superusers may change superusers or decide who is one."""

    form = UserForm
    list_display = ("email", "full_name", "is_active", "is_staff", "mfa", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("email", "full_name__resembles")
    ordering = ("-date_joined",)
    readonly_fields = ("mfa", "last_login", "date_joined")
    autocomplete_fields = ("groups", "user_permissions")
    actions = ("remove_second_factors",)
    _ABOUT = ("email", "full_name", "time_zone", "language")
    _ACCESS = ("is_active", "is_staff", "groups", "mfa", "last_login", "date_joined")
    _POWER = ("is_superuser", "user_permissions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
        return User.objects.annotate(has_mfa=Exists(factors))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> list[tuple[str | None, dict[str, Any]]]:
        if obj is None:
            return [(None, {"fields": ("email", "full_name")})]
        power = self._POWER if request.user.is_superuser else ()
        return [(None, {"fields": self._ABOUT}), ("Access", {"fields": (*self._ACCESS, *power)})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        # People change and verify their address themselves; changing it here would be a way into their account.
        return self.readonly_fields if obj is None else (*self.readonly_fields, "email")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        may: bool = super().has_change_permission(request, obj)
        return may and (obj is None or not obj.is_superuser or request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never: orders and lessons refer to people. Close the account instead, or erase the personal data."""
        return False

    def has_remove_second_factors_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    @display(description="Two-factor", boolean=True)
    def mfa(self, user: User) -> bool:
        return bool(getattr(user, "has_mfa", False))

    @action(
        description="Remove two-factor authentication (after checking who asks)", permissions=["remove_second_factors"]
    )
    def remove_second_factors(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Let in a person who lost phone and recovery codes. Staff must set it up again before they reach the admin."""
        for user in people:
            Authenticator.objects.filter(user=user).delete()
            self.log_change(request, user, "Removed two-factor authentication.")
        self.message_user(request, "Removed. They now sign in with their password alone.", messages.SUCCESS)


@admin.register(Group)
class GroupAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Staff groups. The three in `accounts.roles` come from code and are read-only."""

    list_display = ("name", "people", "comes_from_code")
    search_fields = ("name",)
    autocomplete_fields = ("permissions",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        # Sorted here too, for the autocomplete boxes that search groups.
        return Group.objects.annotate(user_count=Count("user")).order_by("name")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        may: bool = super().has_change_permission(request, obj)
        return may and not (obj and obj.name in ROLES)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        may: bool = super().has_delete_permission(request, obj)
        return may and not (obj and obj.name in ROLES)

    @display(description="People")
    def people(self, group: Group) -> int:
        return int(getattr(group, "user_count", 0))

    @display(description="Set in code", boolean=True)
    def comes_from_code(self, group: Group) -> bool:
        return group.name in ROLES


@admin.register(Permission)
class PermissionAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Only for the autocomplete boxes of people and groups; it has no place in the menu."""

    search_fields = ("name", "codename", "content_type__app_label")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Permission]:
        return Permission.objects.select_related("content_type")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Permission | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Permission | None = None) -> bool:
        return False


@admin.register(EmailAddress)
class EmailAddressAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Which addresses are verified. Read-only: people verify an address with the link in the mail."""

    list_display = ("email", "user", "primary", "verified")
    list_filter = ("verified", "primary")
    list_select_related = ("user",)
    search_fields = ("email", "user__full_name__resembles")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: EmailAddress | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: EmailAddress | None = None) -> bool:
        return False
