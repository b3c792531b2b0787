"""All settings, read once from environment variables; `.env.example` documents each."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from kombu import Exchange, Queue

from config.logging import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")

# --- Where we are -------------------------------------------------------------------------------------------------
LECTERN_ENV = env("LECTERN_ENV", default="production")
if LECTERN_ENV not in ("development", "production"):
    raise ImproperlyConfigured("LECTERN_ENV is 'development' or 'production'.")
IS_DEVELOPMENT = LECTERN_ENV == "development"
DEBUG = env.bool("DEBUG", default=False)


def _required(name: str, *, in_development: str) -> str:
    """A variable production cannot start without; development has a value to fall back on."""
    value: str = env(name, default=in_development if IS_DEVELOPMENT else "")
    if not value:
        raise ImproperlyConfigured(f"{name} must be set in production. See .env.example.")
    return value


SECRET_KEY = _required("SECRET_KEY", in_development="development-only-and-known-to-everybody-so-never-in-production")
# The one address the site is known by. Links in mails and return URLs come from it, never from the Host header.
BASE_URL = _required("BASE_URL", in_development="http://127.0.0.1:8000").rstrip("/")
SITE_NAME = env("SITE_NAME", default="Lectern")
IS_HTTPS = BASE_URL.startswith("https://")
if not (IS_HTTPS or IS_DEVELOPMENT):
    raise ImproperlyConfigured("BASE_URL must start with https:// in production.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(BASE_URL).hostname or "127.0.0.1"])
if IS_DEVELOPMENT:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# Plain http is answered by a redirect, and browsers are told to ask for https at once for a year.
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if IS_HTTPS else 0
# How many proxies of ours stand in front. What they say of a request is believed; from anybody else it proves nothing.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SILENCED_SYSTEM_CHECKS = [
    # HSTS for subdomains and preload lists: other hosts of the domain are not ours to decide about.
    "security.W005",
    "security.W021",
]

# --- Payments -----------------------------------------------------------------------------------------------------
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY", default="")
# sandbox: no keys, development only. test, live: what the keys say, which in production must be declared as well.
PAYMENTS_MODE = (
    "sandbox" if not STRIPE_SECRET_KEY else "live" if STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_")) else "test"
)
SANDBOX_URL = env("SANDBOX_URL", default="http://127.0.0.1:12111")
SANDBOX_SECRET_KEY = "sk_test_sandbox00000000000000000"  # noqa: S105 - opens nothing but the sandbox
SANDBOX_WEBHOOK_SECRET = "whsec_sandbox0000000000000000000000000"  # noqa: S105 - likewise
# Several secrets, separated by commas, while one is being rolled at Stripe.
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRETS", default=[])
# The platform's own account, e.g. acct_1ABC; events of another account are refused.
STRIPE_ACCOUNT_ID = env("STRIPE_ACCOUNT_ID", default="")
# Pinned once for the gateway, dj-stripe and the webhook endpoint; it is the version stripe-python 15.6 was made for.
STRIPE_API_VERSION = "2026-08-26.dahlia"
if PAYMENTS_MODE == "sandbox":
    if not IS_DEVELOPMENT:
        raise ImproperlyConfigured("STRIPE_SECRET_KEY must be set in production; the sandbox is for development only.")
    STRIPE_SECRET_KEY = SANDBOX_SECRET_KEY
    # Set here only: an empty one elsewhere would have dj-stripe call nobody. It warns of a host other than Stripe's, which
    # is meant here, and production refused the sandbox just above.
    STRIPE_API_HOST = SANDBOX_URL
    SILENCED_SYSTEM_CHECKS += ["djstripe.W002"]
    STRIPE_WEBHOOK_SECRETS = STRIPE_WEBHOOK_SECRETS or [SANDBOX_WEBHOOK_SECRET]
if not IS_DEVELOPMENT:
    if DEBUG:
        raise ImproperlyConfigured("DEBUG must be off in production.")
    declared_mode = env("PAYMENTS_MODE", default="")
    if declared_mode != PAYMENTS_MODE:
        raise ImproperlyConfigured(
            f"PAYMENTS_MODE says {declared_mode!r} but STRIPE_SECRET_KEY is a key for {PAYMENTS_MODE!r}."
        )
    if not STRIPE_WEBHOOK_SECRETS:
        raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRETS must be set in production.")
STRIPE_LIVE_MODE = PAYMENTS_MODE == "live"
STRIPE_LIVE_SECRET_KEY = STRIPE_SECRET_KEY if STRIPE_LIVE_MODE else ""
STRIPE_TEST_SECRET_KEY = "" if STRIPE_LIVE_MODE else STRIPE_SECRET_KEY
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
# Stripe allows 30 minutes to 24 hours; places stay reserved for as long as the page can be paid.
CHECKOUT_LIFETIME = timedelta(minutes=env.int("CHECKOUT_MINUTES", default=31))
# Finished events only. Stripe lists events for 30 days, and what was deleted before would be taken for a missed one.
webhook_event_days = env.int("WEBHOOK_EVENT_DAYS", default=365)
if webhook_event_days <= 30:  # noqa: PLR2004  # said above
    raise ImproperlyConfigured("WEBHOOK_EVENT_DAYS must be more than 30.")
WEBHOOK_EVENTS_KEPT = timedelta(days=webhook_event_days)
DEFAULT_COMMISSION_BPS = env.int("DEFAULT_COMMISSION_BPS", default=1000)
# Prices include tax. Zero where the platform is not registered for it; the label is printed on receipts.
TAX_RATE_BPS = env.int("TAX_RATE_BPS", default=0)
TAX_LABEL = env("TAX_LABEL", default="VAT")
CURRENCIES = env.list("CURRENCIES", default=["GBP", "EUR", "JPY"])
DEFAULT_CURRENCY = env("DEFAULT_CURRENCY", default=CURRENCIES[0])

# --- Apps ---------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    *(["demo"] if IS_DEVELOPMENT else []),
    "bookings",
    "workshops",
    "courses",
    "payments",
    "catalogue",
    "notifications",
    "accounts",
    "jobs",
    "money",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "djstripe",
    "waffle",
]
MIDDLEWARE = [
    "payments.webhook.front.AnswerWebhooksFirst",
    "config.request_id.RequestIdMiddleware",
    "config.body_limit.BodyLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.content_security.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.staff_gate.StaffGateMiddleware",
    "accounts.time_zones.TimeZoneMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "catalogue.context.site",
                "payments.context.cart_line_count",
            ],
        },
    }
]

# --- Data ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url_config(_required("DATABASE_URL", in_development="postgres://127.0.0.1/lectern"))}
DATABASES["default"] |= {"ENGINE": "config.database", "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = _required("REDIS_URL", in_development="redis://127.0.0.1:6379/0")
# Rate limits live in PostgreSQL: they must hold across processes and survive the loss of Redis.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entry",
        # At Django's default of 300 the cache drops live entries: an attacker with 300 addresses would reset every limit.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    },
}
# A closed checkout must be seen by every process at once, so switches are read from the database each time.
WAFFLE_SWITCH_DEFAULT = False

# --- People -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "full_name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
# A mail may wait a day for its server, so the link in it must live longer than an hour; changing the password ends it.
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
# Limits per address believe X-Forwarded-For only as far as our own proxies wrote it.
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
ACCOUNT_ADAPTER = "notifications.account_mails.AccountAdapter"
ACCOUNT_FORMS = {"signup": "accounts.forms.SignUpForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# Asked for, but a guest who fills a cart, signs up and pays is not stopped. See docs/decisions/accounts.md.
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme
# Added to allauth's own limits. `key` is the address somebody tries to sign in as; resetting the password clears it.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,100/h/ip,5/5m/key,100/d/key",
    "signup": "20/m/ip,100/h/ip",
    "reset_password": "20/m/ip,60/h/ip,5/m/key,10/h/key",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "accounts.passkey_forms.AddForm",
    "authenticate_webauthn": "accounts.passkey_forms.AuthenticateForm",
    "login_webauthn": "accounts.passkey_forms.LoginForm",
    "reauthenticate_webauthn": "accounts.passkey_forms.ReauthenticateForm",
}
MFA_TOTP_ISSUER = SITE_NAME
# One step of 30 seconds either way: phones' clocks are not exact.
MFA_TOTP_TOLERANCE = 1
# Browsers allow passkeys over plain HTTP on localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_DEVELOPMENT
# Staff reach the admin only after a second factor. Development may switch it on to try it; production cannot switch it off.
STAFF_NEEDS_MFA = not IS_DEVELOPMENT or env.bool("STAFF_NEEDS_MFA", default=False)

# --- The admin's look; its menu is built from what is installed and allowed ------------------------------------------
UNFOLD = {
    "SITE_TITLE": SITE_NAME,
    "SITE_HEADER": SITE_NAME,
    "SITE_SUBHEADER": "Staff",
    "SITE_SYMBOL": "school",
    # The site's green, from light to dark.
    "COLORS": {
        "primary": {
            "50": "oklch(97% .02 165)",
            "100": "oklch(94% .04 165)",
            "200": "oklch(89% .07 165)",
            "300": "oklch(82% .10 165)",
            "400": "oklch(72% .12 165)",
            "500": "oklch(58% .11 165)",
            "600": "oklch(46% .09 165)",
            "700": "oklch(40% .08 165)",
            "800": "oklch(34% .06 165)",
            "900": "oklch(29% .05 165)",
            "950": "oklch(22% .04 165)",
        }
    },
    "STYLES": [lambda _request: static("css/admin.css")],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "ENVIRONMENT": "config.admin_menu.environment",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "config.admin_menu.navigation"},
}

# --- Content security: only our own files, nothing written into the page -----------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        # Browsers apply this to the redirect after a form is posted, too, and checkout ends on Stripe's page.
        "form-action": [
            "'self'",
            "https://checkout.stripe.com",
            *([SANDBOX_URL] if PAYMENTS_MODE == "sandbox" else []),
        ],
        **({"upgrade-insecure-requests": True} if IS_HTTPS else {}),
    }
}

# --- Language, time, files ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# In development files are served from where they are written; production collects them once.
WHITENOISE_USE_FINDERS = IS_DEVELOPMENT
WHITENOISE_AUTOREFRESH = IS_DEVELOPMENT
if not IS_DEVELOPMENT:
    # Names carry a hash of what is in the file, so browsers may keep it for ever.
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
MEDIA_URL = "media/"
MEDIA_ROOT = Path(env("MEDIA_ROOT", default=str(BASE_DIR / "media")))
# Bought files: outside MEDIA_ROOT, no web server may serve this folder; a view does, to the enrolled.
PRIVATE_MEDIA_ROOT = Path(env("PRIVATE_MEDIA_ROOT", default=str(BASE_DIR / "private_media")))

# What one request may carry, files included: a phone's photo, whose form says that 5 MB are enough; and where teachers
# write courses, a lesson's file of 50 MB.
LARGEST_BODY_BYTES = 12 * 1024 * 1024
LARGEST_BODY_BYTES_BELOW = {"/teach/courses/": 52 * 1024 * 1024}
# Without the files. The longest text of a course's lesson is far below it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Mail ---------------------------------------------------------------------------------------------------------
# Either EMAIL_URL (smtp+tls://user:password@host:587) or a provider known to anymail, such as MAIL_PROVIDER=postmark with
# ANYMAIL_POSTMARK_SERVER_TOKEN. Without either, development sends nothing: each mail can be read in the admin.
MAIL_PROVIDER = env("MAIL_PROVIDER", default="")
if MAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{MAIL_PROVIDER}.EmailBackend"
    ANYMAIL = {
        name.removeprefix("ANYMAIL_"): value for name, value in env.ENVIRON.items() if name.startswith("ANYMAIL_")
    } | {"REQUESTS_TIMEOUT": 10}
else:
    globals().update(env.email_url_config(_required("EMAIL_URL", in_development="dummymail://")))
# A mail server that hangs must not hold a worker longer than a lease.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <no-reply@{urlsplit(BASE_URL).hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Who hears of alerts; without any, every active superuser does.
STAFF_ALERT_EMAILS = env.list("STAFF_ALERT_EMAILS", default=[])

# --- Logs ---------------------------------------------------------------------------------------------------------
LOGGING_CONFIG = "config.logging.apply"
LOGGING = logging_settings(as_json=not IS_DEVELOPMENT, level=env("LOG_LEVEL", default="INFO"))

# --- Celery: wakes durable work, never holds it -------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT = "jobs.broker:Transport"
# The anonymous exchange routes by queue name alone. A named one keeps its bindings in Redis, and after a flush every
# message would vanish until the workers reconnect.
CELERY_TASK_QUEUES = [Queue(name, Exchange(""), routing_key=name) for name in ("urgent", "default", "background")]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
# A message is taken off the list only when its task has ended, however it ends.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# For scheduled tasks. Drains bring their own limits, which follow from the lease of what they do.
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
# Redis may be away for a day: workers and beat come back by themselves, without anybody restarting them.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# A run under way when Redis goes away is finished: its row says so, and the message that comes again finds nothing.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Who publishes gives up quickly, since the sweep finds the rows.
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "socket_keepalive": True,
    "max_retries": 0,
    # A message whose worker vanished is handed out again after this many seconds. Longer than every time limit, so no
    # scheduled task runs twice at once; nothing waits for it, since rows come back by their own lease.
    "visibility_timeout": 300,
}
CELERY_BEAT_SCHEDULER = "jobs.beat:BoundedScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
