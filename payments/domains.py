"""How an app that sells something declares itself: only in its AppConfig.

The site's menus, roles, addresses, schedule and the registry of handlers are all built from these declarations, so a
new domain is one folder and one line in the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.apps import AppConfig, apps
from django.urls import reverse
from django.utils.module_loading import import_string

from jobs.schedule import PeriodicWork
from payments.contracts import DomainHandler
from payments.registry import register


@dataclass(frozen=True, slots=True)
class MenuPage:
    """A page that the site's menus link to. `view` is its URL name, such as workshops:mine."""

    title: str
    view: str

    @property
    def url(self) -> str:
        return reverse(self.view)


class DomainConfig(AppConfig):
    """The AppConfig of a domain. Its `urls.py` is included in the site's addresses."""

    # Django uses the only default AppConfig in an `apps.py`; this base class is imported there as well.
    default = False

    # Dotted path of the class that implements the domain's side of `payments.contracts`.
    handler: str
    # Where students find what they bought, and teachers what they sell; None where only the site itself sells.
    student_page: MenuPage
    teacher_page: MenuPage | None = None
    periodic_work: Sequence[PeriodicWork] = ()
    # Dotted path of the function that derives this domain's own journals a second time, a chunk of drafts at a time
    # (`payments.rebuilding`). Most domains have none: what they sell is booked by payments.
    books: str = ""

    def __init_subclass__(cls) -> None:
        cls.default = True

    @property
    def role_permissions(self) -> Mapping[str, Sequence[str]]:
        """Which of this app's permissions each group of staff has; read by `accounts.roles`.

        To cancel what was sold moves money, so support may not do it.
        """
        support = [f"{self.label}.{verb}_*" for verb in ("view", "add", "change", "delete")]
        finance = [f"{self.label}.{verb}_*" for verb in ("view", "cancel")]
        return {"support": support, "finance": finance, "admin": [f"{self.label}.*"]}

    def ready(self) -> None:
        handler: type[DomainHandler] = import_string(self.handler)
        register(handler())


def domain_configs() -> list[DomainConfig]:
    """The installed domains, in the order of the settings."""
    return [config for config in apps.get_app_configs() if isinstance(config, DomainConfig)]
