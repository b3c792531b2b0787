"""The site's settings with a fourth domain: one folder, and this one line."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = ["tests.retreats", *INSTALLED_APPS]  # noqa: F405
