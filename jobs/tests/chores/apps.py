from django.apps import AppConfig


class ChoresConfig(AppConfig):
    name = "jobs.tests.chores"
