"""Settings of a site with only dj-stripe's webhook view."""

import os
from urllib.parse import unquote, urlsplit

_database = urlsplit(os.environ["SITE_DATABASE_URL"])
SECRET_KEY = "nothing to protect"
ALLOWED_HOSTS = ["127.0.0.1"]
DEBUG = False
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "djstripe"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "sandbox.tests.djstripe_site.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": unquote(os.environ.get("SITE_DATABASE_HOST") or _database.hostname or ""),
        "PORT": _database.port or "",
        "CONN_MAX_AGE": 60,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = os.environ["SITE_STRIPE_KEY"]
STRIPE_API_HOST = os.environ["SITE_SANDBOX_URL"]
STRIPE_API_VERSION = "2026-08-26.dahlia"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
SILENCED_SYSTEM_CHECKS = ["djstripe.W002"]
