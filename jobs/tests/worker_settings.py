"""The site's settings with the tests' own kind of work installed: for real worker processes started by tests."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "jobs.tests.chores"]  # noqa: F405
