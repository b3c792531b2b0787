"""Print what is wrong with the site, and what to do."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from notifications.doctor import examine


class Command(BaseCommand):
    """Exits with 0 if nothing is wrong, with 1 if something is, and with 2 if that could not be found out."""

    help = "Print broken invariants, parked and late work and open alerts, each with what to do about it."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        try:
            symptoms = list(examine())
        except DatabaseError as problem:
            raise CommandError(f"The database cannot be examined: {problem}", returncode=2) from problem
        section = ""
        for symptom in symptoms:
            if symptom.section != section:
                section = symptom.section
                self.stdout.write(f"\n{section}\n{'-' * len(section)}")
            self.stdout.write(f"{symptom.what}\n    {symptom.detail}\n    What to do: {symptom.advice}")
        if symptoms:
            sys.exit(1)
        self.stdout.write("Nothing is wrong.")
