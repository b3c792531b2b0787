"""Migrate the database and fill it with the demo's data. May be run again at any time."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from demo.loading import offers, people, plans

# The order matters: later parts need the earlier ones.
PARTS = (
    ("accounts", people.load_accounts),
    ("subjects", people.load_subjects),
    ("teachers", people.load_teachers),
    ("courses", offers.load_courses),
    ("workshops", offers.load_workshops),
    ("lesson offers", offers.load_lesson_offers),
    ("lesson requests", offers.load_lesson_requests),
    ("requests to any teacher", offers.load_requests_to_any_teacher),
    ("plans", plans.load_plans),
)


class Command(BaseCommand):
    help = "Migrate, then load the demo's data: teachers, workshops, courses, lessons and accounts."

    def handle(self, *_args: Any, **_options: Any) -> None:
        # The checks have run for this command; running them twice would double the wait.
        call_command("migrate", interactive=False, skip_checks=True, verbosity=0)
        self.stdout.write("The database is up to date")
        for what, load in PARTS:
            if new := load():
                self.stdout.write(f"Loaded {new} {what}")
        self.stdout.write("The demo's data is in place")
