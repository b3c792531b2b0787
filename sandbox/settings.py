"""The sandbox's own Django settings. No sessions, no users and normally no middleware, so that it is fast."""

import secrets
from pathlib import Path
from typing import Any

from sandbox.options import options

BASE_DIR = Path(__file__).resolve().parent
# Nothing is signed with it: the dashboard's only cookie is a random value of its own.
SECRET_KEY = secrets.token_hex(32)
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "sandbox.urls"
APPEND_SLASH = False
STATIC_URL = "/static/"
INSTALLED_APPS = ["sandbox"]
MIDDLEWARE: list[str] = [] if options().settle_delay else ["sandbox.middleware.settle_at_once"]
# Protects the dashboard's forms (dashboard/access.py). A name of its own, because cookies ignore ports and a site on
# this machine has a CSRF cookie too.
CSRF_COOKIE_NAME = "sandbox_csrftoken"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_TRUSTED_ORIGINS = [options().public_url]
CSRF_FAILURE_VIEW = "sandbox.dashboard.access.forged"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {"libraries": {"sandbox_money": "sandbox.hosted.money_filter"}},
    }
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": options().database,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # IMMEDIATE takes the write lock at BEGIN, so no transaction fails halfway with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; "
            # A fallback: normally the ticker checkpoints the log, so that no request waits for the disk.
            "PRAGMA wal_autocheckpoint=20000;",
        },
    }
}
LOGGING_CONFIG = None
