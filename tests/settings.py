"""The site's settings with a fourth domain: one folder, and one line. Its test database is copied, not migrated."""

import os

from config.settings import *  # noqa: F403

INSTALLED_APPS = ["tests.retreats", *INSTALLED_APPS]  # noqa: F405
DATABASES["default"]["TEST"] = {"TEMPLATE": os.environ.get("TEST_DATABASE_TEMPLATE")}  # noqa: F405
