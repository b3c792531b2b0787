from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    # Otherwise the admin's index would have two sections called Accounts: allauth has one too.
    verbose_name = "People"

    def ready(self) -> None:
        from accounts import lookups  # noqa: F401  # registers the lookup of the lists of staff

        # Connected for every app, because each has permissions of its own.
        post_migrate.connect(_grant_roles, dispatch_uid="accounts.grant_roles")


# Emptying the database between tests sends the signal too, without the migration's own `apps`.
def _grant_roles(*, app_config: AppConfig, using: str, apps: Any = installed, **_: Any) -> None:
    from accounts.roles import grant_roles  # it imports Permission, which exists only once the apps are loaded

    grant_roles(app_config, using=using, apps=apps)
