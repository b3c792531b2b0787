"""What each group of staff may do: one table, copied into the database after every migration.

Students and teachers need no group: everyone may buy, and a teacher is a user with an approved profile.
For these three groups the table is authoritative: the next migration removes what staff added to them in the admin.
An app may add to it for its own permissions: `role_permissions` of its AppConfig maps a group to patterns.
Finer distinctions belong in separate groups.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import DEFAULT_DB_ALIAS


@dataclass(frozen=True, slots=True)
class Role:
    """Patterns of permissions, as app.codename. What `never` matches is withheld even if `may` matches it."""

    may: tuple[str, ...]
    never: tuple[str, ...] = ()


# In no role: only the operator of the site has keys and secrets. dj-stripe stores API keys and webhook secrets
# unencrypted.
_SECRETS = (
    "djstripe.*_apikey",
    "djstripe.*_webhookendpoint",
    "mfa.*",
    "sessions.*",
    "auth.*_permission",
    "admin.*",
)
# Records stay: orders, money and mails are corrected by further records, and people are erased by a command of its own.
_RECORDS = (
    "*.delete_order*",
    "*.delete_user",
    "*.delete_teacher",
    "payments.delete_*",
    "ledger.delete_*",
    "ledger.add_*",
)

ROLES: dict[str, Role] = {
    # Answers people's questions: sees all but the accounts, helps with lessons, workshops and courses, decides on
    # teachers.
    "support": Role(
        may=(
            "accounts.view_*",
            "accounts.change_teacher",
            "accounts.decide_teacher",
            "account.view_*",
            "catalogue.*",
            "payments.view_*",
            # Mail a gift again, withdraw its code or give it a new one; that moves no money.
            "payments.change_gift",
            "notifications.view_*",
            "notifications.change_*",
        ),
        never=(*_RECORDS, *_SECRETS, "*.delete_*"),
    ),
    # Moves money: refunds, payouts, disputes, discounts, commissions; reads the rest.
    "finance": Role(
        may=(
            "payments.*",
            "ledger.*",
            "operations.view_*",
            "djstripe.view_*",
            "accounts.view_*",
            "accounts.change_teacher",
            "accounts.set_commission",
            "catalogue.view_*",
            "notifications.view_*",
        ),
        never=(*_RECORDS, *_SECRETS),
    ),
    # Runs the site and manages other staff. Only superusers make superusers.
    "admin": Role(
        may=(
            "accounts.*",
            "account.*",
            "auth.view_group",
            "catalogue.*",
            "payments.*",
            "ledger.*",
            "djstripe.view_*",
            "notifications.*",
            "jobs.*",
            "operations.*",
            "waffle.*",
        ),
        never=(*_RECORDS, *_SECRETS),
    ),
}


def roles() -> dict[str, Role]:
    """The table, with the additions of the installed apps. No app can add what a role must never have."""
    declared = [getattr(config, "role_permissions", {}) for config in installed.get_app_configs()]
    return {
        name: replace(role, may=(*role.may, *(pattern for more in declared for pattern in more.get(name, ()))))
        for name, role in ROLES.items()
    }


def may(role: Role, permission: str) -> bool:
    """Whether a role includes a permission, named as app.codename."""
    return any(fnmatchcase(permission, pattern) for pattern in role.may) and not any(
        fnmatchcase(permission, pattern) for pattern in role.never
    )


def grant_roles(app_config: AppConfig, using: str = DEFAULT_DB_ALIAS, apps: Any = installed) -> None:
    """Bring the groups' permissions on one app's models in line with the table. Runs after that app's migrations.

    Changes nothing when called again. Does nothing before the tables of groups exist.
    """
    try:
        group_model = apps.get_model("auth", "Group")
        permission_model = apps.get_model("auth", "Permission")
    except LookupError:
        return
    # Django makes an app's permissions in a handler of the same signal, which may come after this one.
    create_permissions(app_config, verbosity=0, using=using, apps=apps)
    permissions = list(
        permission_model.objects.using(using)
        .filter(content_type__app_label=app_config.label)
        .select_related("content_type")
    )
    for name, role in roles().items():
        group, _ = group_model.objects.using(using).get_or_create(name=name)
        granted = {p for p in permissions if may(role, f"{app_config.label}.{p.codename}")}
        group.permissions.remove(*(p for p in permissions if p not in granted))
        group.permissions.add(*granted)
