"""A site with only dj-stripe's own webhook view, set up as its documentation says."""

import os

import environ

SECRET_KEY = "benchmark"  # noqa: S105  # nothing to protect
ALLOWED_HOSTS = ["127.0.0.1"]
DEBUG = False
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "djstripe"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "benchmarks.djstripe_urls"
DATABASES = {"default": environ.Env.db_url_config(os.environ["BENCH_DATABASE_URL"]) | {"CONN_MAX_AGE": 60}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_sandbox00000000000000000"  # noqa: S105  # the sandbox's published key
STRIPE_API_HOST = os.environ["BENCH_SANDBOX_URL"]
STRIPE_API_VERSION = "2026-08-26.dahlia"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
SILENCED_SYSTEM_CHECKS = ["djstripe.W002"]
# What our gunicorn's worker asks of any site.
LARGEST_BODY_BYTES = 12 * 1024 * 1024
LARGEST_BODY_BYTES_BELOW: dict[str, int] = {}
