"""All settings, read once from environment variables; `.env.example` documents each."""

from datetime import timedelta
from email.utils import formataddr
from pathlib import Path
from urllib.parse import urlsplit

from config.admin_look import unfold_settings
from config.api_settings import rest_framework_settings, spectacular_settings
from config.celery_settings import *  # noqa: F403  # each is a setting of its own
from config.database.limits import for_commands, for_pages_and_jobs, read_limits
from config.environment import InvalidVariable, database_config, read_environment, warn_of_unknown_names
from config.logging import logging_settings
from config.mail_server import read_mail_server
from config.processes import read_processes, share_counters
from config.stripe_keys import read_commission_bps, read_payout_minimums, read_stripe_keys
from config.tax import read_tax_rates
from money import is_currency

BASE_DIR = Path(__file__).resolve().parent.parent
# Every variable is read in every environment, even if its value is not used there, so that each is checked and known.
env = read_environment(BASE_DIR)

# --- The site -----------------------------------------------------------------------------------------------------
LECTERN_ENV = env.choice("LECTERN_ENV", ["development", "production"], default="production")
IS_DEVELOPMENT = LECTERN_ENV == "development"
DEBUG = env.flag("DEBUG")
if DEBUG and not IS_DEVELOPMENT:
    raise InvalidVariable("DEBUG", "must be off in production.")


def _required(name: str, value: str, *, in_development: str) -> str:
    """Return the value of a variable that production needs; development has a default."""
    if value or IS_DEVELOPMENT:
        return value or in_development
    raise InvalidVariable(name, "must be set in production.")


PUBLISHED_SECRET_KEY = "development-only-and-known-to-everybody-so-never-in-production"  # noqa: S105 - says so itself
SECRET_KEY = _required("SECRET_KEY", env.text("SECRET_KEY"), in_development=PUBLISHED_SECRET_KEY)
# Django's own limits (security.W009), for which it only warns.
if not IS_DEVELOPMENT and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10 or SECRET_KEY == PUBLISHED_SECRET_KEY):  # noqa: PLR2004
    raise InvalidVariable("SECRET_KEY", "must be at least 50 random characters of your own.")
own_address = env.site_address("BASE_URL", is_https=not IS_DEVELOPMENT)
# Where people reach the site and where Stripe does, if a proxy gives them separate addresses.
people_address = env.site_address("FRONTEND_URL", is_https=not IS_DEVELOPMENT)
API_BASE_URL = env.site_address("API_BASE_URL", is_https=not IS_DEVELOPMENT)
# The public address. Links in mails and return URLs use it, never the Host header.
BASE_URL = _required("BASE_URL", people_address or own_address, in_development="http://127.0.0.1:8000")
API_BASE_URL = API_BASE_URL or own_address or BASE_URL
SITE_NAME = env.text("SITE_NAME", default="Lectern", longest=60)
# Who sells here: on receipts, on the page "About us" and in the terms.
SELLER_NAME = env.text("SELLER_NAME", default=SITE_NAME, longest=120)
SELLER_ADDRESS = env.text("SELLER_ADDRESS", longest=300)
SELLER_TAX_NUMBER = env.text("SELLER_TAX_NUMBER", longest=40)
CONTACT_EMAIL = next(iter(env.mailboxes("CONTACT_EMAIL")), f"hello@{urlsplit(BASE_URL).hostname}")
IS_HTTPS = BASE_URL.startswith("https://")
site_addresses = {BASE_URL, own_address or BASE_URL, API_BASE_URL}
ALLOWED_HOSTS = sorted({*env.host_names("ALLOWED_HOSTS"), *(urlsplit(one).hostname or "" for one in site_addresses)})
if IS_DEVELOPMENT:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = sorted({BASE_URL, own_address or BASE_URL})
# Plain http is redirected, and for a year browsers use https from the start.
SECURE_SSL_REDIRECT = IS_HTTPS
hsts_seconds = env.count("HSTS_SECONDS", default=31_536_000, least=0, most=315_360_000)
SECURE_HSTS_SECONDS = hsts_seconds if IS_HTTPS else 0
# The number of our own proxies in front. Only their X-Forwarded-* headers are trusted.
TRUSTED_PROXY_COUNT = env.count("TRUSTED_PROXY_COUNT", default=0, least=0, most=10)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SILENCED_SYSTEM_CHECKS = [
    # HSTS for subdomains and preload lists would also affect other hosts of the domain.
    "security.W005",
    "security.W021",
]

# --- Payments -----------------------------------------------------------------------------------------------------
stripe_keys = read_stripe_keys(env, is_development=IS_DEVELOPMENT)
# sandbox: without keys, only in development. test, live: follows from the keys; production must also declare it.
PAYMENTS_MODE = stripe_keys.mode
STRIPE_LIVE_MODE = PAYMENTS_MODE == "live"
STRIPE_SECRET_KEY = stripe_keys.secret_key
STRIPE_LIVE_SECRET_KEY = STRIPE_SECRET_KEY if STRIPE_LIVE_MODE else ""
STRIPE_TEST_SECRET_KEY = "" if STRIPE_LIVE_MODE else STRIPE_SECRET_KEY
STRIPE_PUBLISHABLE_KEY = stripe_keys.publishable_key
# Several while one is being replaced at Stripe.
STRIPE_WEBHOOK_SECRETS = stripe_keys.webhook_secrets
# Whether webhooks must come over HTTPS, like pages. Tools that forward them to a developer's machine use HTTP.
WEBHOOKS_NEED_HTTPS = not IS_DEVELOPMENT
# The platform's own account, e.g. acct_1ABC; events of another account are refused.
STRIPE_ACCOUNT_ID = stripe_keys.account_id
# The same for the gateway, dj-stripe and the webhook endpoint: the version that stripe-python 15.6 was made for. Another one
# is for rehearsing an upgrade.
STRIPE_API_VERSION = env.matching(
    "STRIPE_API_VERSION", r"20\d\d-[01]\d-[0-3]\d\.[a-z]+", example="2026-08-26.dahlia", default="2026-08-26.dahlia"
)
SANDBOX_URL = env.site_address("SANDBOX_URL", default="http://127.0.0.1:12111", is_https=False)
if PAYMENTS_MODE == "sandbox":
    # Set only here: an empty host would break dj-stripe. It warns of a host other than Stripe's, which is intended
    # here, and production refuses the sandbox.
    STRIPE_API_HOST = SANDBOX_URL
    SILENCED_SYSTEM_CHECKS += ["djstripe.W002"]
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
# Stripe allows 30 minutes to 24 hours by its own clock, counted from when it reads the request; these bounds leave a
# margin of a minute. Places stay reserved for as long as the page can be paid.
CHECKOUT_LIFETIME = timedelta(minutes=env.count("CHECKOUT_MINUTES", default=31, least=31, most=1439))
# Other sites to which Stripe's page may lead a student back, if a program that uses the API asks for it.
CHECKOUT_RETURN_ORIGINS = env.site_addresses("CHECKOUT_RETURN_ORIGINS", is_https=not IS_DEVELOPMENT)
# How long finished rows are kept. Rows that still need staff stay, however old.
MAILS_KEPT = timedelta(days=env.count("MAIL_DAYS", default=365, least=31, most=36_500))
# The links in these mails expire after a day.
ACCOUNT_MAILS_KEPT = timedelta(days=env.count("ACCOUNT_MAIL_DAYS", default=7, least=2, most=36_500))
# Changes of what staff can change: who, when, before and after. The database keeps them for a year at least.
AUDIT_TRAIL_KEPT = timedelta(days=env.count("AUDIT_TRAIL_DAYS", default=1095, least=366, most=36_500))
PGHISTORY_JSON_ENCODER = "operations.audit.middleware.ContextEncoder"
ALERTS_KEPT = timedelta(days=env.count("ALERT_DAYS", default=365, least=1, most=36_500))
EXPIRED_SESSIONS_KEPT = timedelta(days=env.count("EXPIRED_SESSION_DAYS", default=1, least=0, most=36_500))
FINISHED_SYNCS_KEPT = timedelta(days=env.count("FINISHED_SYNC_DAYS", default=30, least=1, most=36_500))
# A guest's session ends after two weeks; after that nothing refers to their cart.
GUEST_CARTS_KEPT = timedelta(days=env.count("GUEST_CART_DAYS", default=30, least=1, most=36_500))
# Only finished events. Stripe lists events for 30 days, and one deleted before would look like a missed one.
WEBHOOK_EVENTS_KEPT = timedelta(days=env.count("WEBHOOK_EVENT_DAYS", default=365, least=31, most=36_500))
# A request to the API may be repeated with its key for this long. Stripe keeps its answers for a day.
STORED_ANSWERS_KEPT = timedelta(days=env.count("STORED_ANSWER_DAYS", default=7, least=1, most=36_500))
# Messages to people's own programs. They can be replayed for as long as they are kept.
WEBHOOK_DELIVERIES_KEPT = timedelta(days=env.count("WEBHOOK_DELIVERY_DAYS", default=30, least=1, most=36_500))
# Messages may go to this machine, and over plain HTTP: for developers who write a receiver.
WEBHOOKS_MAY_STAY_HERE = IS_DEVELOPMENT
DEFAULT_COMMISSION_BPS = read_commission_bps(env)
# A teacher may withdraw a share no earlier than this after the sale, since most refunds are asked for within days.
EARNINGS_HELD_FOR = timedelta(days=env.count("EARNINGS_HOLDING_DAYS", default=7, least=0, most=365))
# How long a subscription goes on after its renewal could not be charged. Stripe's own retries should take longer.
SUBSCRIPTION_GRACE = timedelta(days=env.count("SUBSCRIPTION_GRACE_DAYS", default=7, least=1, most=28))
# Prices include the tax, or it is added to them, or they include it and Stripe Tax computes how much it is. Zero if the
# seller is not registered for it. Rates of domains and of later days come before the one for everything.
TAX_MODE = env.choice("TAX_MODE", ["included", "added", "stripe"], default="included")
TAX_RATE_BPS = env.count("TAX_RATE_BPS", default=0, least=0, most=10_000)
TAX_RATES = read_tax_rates(env)
# Who sells, and so owes the tax: each teacher, out of their share, or the platform, which then books it as payable.
TAX_OWED_BY = env.choice("TAX_OWED_BY", ["teacher", "platform"], default="teacher")
# Printed on receipts.
TAX_LABEL = env.text("TAX_LABEL", default="VAT", longest=30)
CURRENCIES = env.items("CURRENCIES", default=["GBP", "EUR", "USD", "JPY"])
if not all(is_currency(code) for code in CURRENCIES):
    raise InvalidVariable("CURRENCIES", "must hold currency codes such as GBP,EUR.")
DEFAULT_CURRENCY = env.choice("DEFAULT_CURRENCY", CURRENCIES, default=CURRENCIES[0])
# Which of Stripe's interfaces creates teachers' accounts; those that exist keep theirs.
STRIPE_CONNECT_ACCOUNTS = env.choice("STRIPE_CONNECT_ACCOUNTS", ["v1", "v2"], default="v1")
# The minimum payout per currency; for others it is the minimum of a card payment.
PAYOUT_MINIMUMS = read_payout_minimums(env)

# --- Apps ---------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    *(["demo"] if IS_DEVELOPMENT else []),
    "operations",
    "bookings",
    "workshops",
    "courses",
    "subscriptions",
    "payments",
    "catalogue",
    "ledger",
    "webhooks",
    "integrations",
    "notifications",
    "pages",
    "accounts",
    "jobs",
    "uploads",
    "money",
    # Not unfold's own configuration, which would replace our admin site.
    "unfold.apps.BasicAppConfig",
    "config.apps.LecternAdminConfig",
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
    "corsheaders",
    "csp",
    "django_htmx",
    "djstripe",
    "drf_spectacular",
    "waffle",
]
MIDDLEWARE = [
    "config.request_id.RequestIdMiddleware",
    "operations.metrics.middleware.ProbeMiddleware",
    "operations.metrics.middleware.MetricsMiddleware",
    "payments.webhook.middleware.WebhookMiddleware",
    "config.body_limit.BodyLimitMiddleware",
    "config.null_characters.RefuseNullCharactersMiddleware",
    "payments.middleware.StripeTimeLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.content_security.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "operations.audit.middleware.AuditMiddleware",
    "accounts.staff_gate.StaffGateMiddleware",
    "accounts.time_zones.TimeZoneMiddleware",
    "catalogue.middleware.VaryByLanguageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "uploads.middleware.NotStoredMiddleware",
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
                "catalogue.context_processors.site",
                "catalogue.context_processors.currency",
                "payments.context_processors.cart_line_count",
                "payments.context_processors.domains",
                "subscriptions.context_processors.plans",
                "subscriptions.context_processors.course_plans",
                "pages.context_processors.site_pages",
            ],
        },
    }
]

# --- Data ---------------------------------------------------------------------------------------------------------
database_url = env.service_address("DATABASE_URL", schemes=["postgres", "postgresql"])
database_url = _required("DATABASE_URL", database_url, in_development="postgres://127.0.0.1/lectern")
# Without the pooler, for commands of manage.py.
direct_url = env.service_address("DATABASE_DIRECT_URL", schemes=["postgres", "postgresql"]) or database_url
DATABASE_POOLED = env.flag("DATABASE_POOLED")
DATABASE_LIMITS = read_limits(env)
kept_open = {"ENGINE": "config.database", "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES = {
    "default": for_pages_and_jobs(
        database_config("DATABASE_URL", database_url) | kept_open, DATABASE_LIMITS, is_pooled=DATABASE_POOLED
    )
}
# Replaces it in commands of manage.py.
DATABASE_OF_COMMANDS = for_commands(database_config("DATABASE_DIRECT_URL", direct_url) | kept_open, DATABASE_LIMITS)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
redis_url = env.service_address("REDIS_URL", schemes=["redis", "rediss"])
REDIS_URL = _required("REDIS_URL", redis_url, in_development="redis://127.0.0.1:6379/0")
# Rate limits are in PostgreSQL: they must hold across processes and survive the loss of Redis.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entry",
        # With the default of 300 the cache drops live entries: an attacker with 300 addresses could reset every limit.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    },
}
# Every process must see at once that the checkout was closed, so switches are read from the database each time.
WAFFLE_SWITCH_DEFAULT = False

# --- People -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    # Signs no person in; adds the permissions of a role that a member of staff took in an emergency.
    "operations.emergency.backend.EmergencyAccessBackend",
]
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
# Limits per address use only the part of X-Forwarded-For that our own proxies wrote.
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
ACCOUNT_ADAPTER = "notifications.account_adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "accounts.forms.SignInForm", "signup": "accounts.forms.SignUpForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# Requested, but it does not stop a guest who fills a cart, signs up and pays. See docs/decisions/accounts.md.
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme
# In addition to allauth's own limits. `key` is the address used to sign in; resetting the password clears it.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,100/h/ip,5/5m/key,100/d/key",
    "signup": "20/m/ip,100/h/ip",
    "reset_password": "20/m/ip,60/h/ip,5/m/key,10/h/key",
    # Our own, in the same table: new carts of guests from one network address, which a whole school may share.
    "guest_cart": "100/h/ip",
    # Discount codes that do not exist: enough for typing errors, too few for guessing.
    "discount_code": "30/h/ip",
    "discount_code_of_account": "15/h/user",
    "gift_code": "30/h/ip",
    "gift_code_of_account": "15/h/user",
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
# One step of 30 seconds either way, since the clocks of phones are not exact.
MFA_TOTP_TOLERANCE = 1
# Browsers allow passkeys over plain HTTP on localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_DEVELOPMENT
# Staff need a second factor for the admin. Development may switch this on; production cannot switch it off.
STAFF_NEEDS_MFA = env.flag("STAFF_NEEDS_MFA") or not IS_DEVELOPMENT
# If not empty, the admin exists only for these networks.
ADMIN_NETWORKS = env.networks("ADMIN_NETWORKS")

# --- The API -------------------------------------------------------------------------------------------------------
CSRF_FAILURE_VIEW = "config.failures.answer_csrf_failure"
REST_FRAMEWORK = rest_framework_settings(trusted_proxy_count=TRUSTED_PROXY_COUNT)
# Pages of these sites may call the API, with a token: browsers send them no cookies of ours.
CORS_ALLOWED_ORIGINS = env.site_addresses("CORS_ALLOWED_ORIGINS", is_https=not IS_DEVELOPMENT)
CORS_URLS_REGEX = r"^/(?:api|payments)/"
CORS_ALLOW_HEADERS = ("accept", "authorization", "content-type", "idempotency-key")
CORS_EXPOSE_HEADERS = ("ratelimit", "ratelimit-policy", "retry-after", "x-request-id")
SPECTACULAR_SETTINGS = spectacular_settings(site_name=SITE_NAME)

# --- The look of the admin; its menu is built from the installed apps and the permissions -----------------------------
UNFOLD = unfold_settings(SITE_NAME)

# --- Content security: only our own files, nothing inline ---------------------------------------------------------
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
            "https://billing.stripe.com",
            # Where a bank asks the owner of a saved card.
            "https://hooks.stripe.com",
            *([SANDBOX_URL] if PAYMENTS_MODE == "sandbox" else []),
        ],
        **({"upgrade-insecure-requests": True} if IS_HTTPS else {}),
    }
}

# --- Language, time, files ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# In development files are served from their sources; production collects them once.
WHITENOISE_USE_FINDERS = IS_DEVELOPMENT
WHITENOISE_AUTOREFRESH = IS_DEVELOPMENT
STORAGES = {
    "default": {"BACKEND": "uploads.storage.DiskStorage"},
    "staticfiles": {
        # File names contain a hash of the content, so browsers may cache them forever.
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_DEVELOPMENT
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_URL = "media/"
# Public: it must contain nothing but uploaded pictures.
MEDIA_ROOT = env.folder("MEDIA_ROOT", default=BASE_DIR / "media")
if BASE_DIR.is_relative_to(MEDIA_ROOT.resolve()):
    raise InvalidVariable("MEDIA_ROOT", "must be a folder of its own: the web server would serve Lectern's own files.")
# Files for sale, outside MEDIA_ROOT. No web server may serve this folder: a view does so, only to enrolled students.
PRIVATE_MEDIA_ROOT = env.folder("PRIVATE_MEDIA_ROOT", default=BASE_DIR / "private_media")
if PRIVATE_MEDIA_ROOT.resolve().is_relative_to(MEDIA_ROOT.resolve()):
    raise InvalidVariable("PRIVATE_MEDIA_ROOT", "must be outside MEDIA_ROOT, which is public.")

FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "uploads.upload_handlers.TemporaryFileHandler",
]
# How many pictures are decoded at once, over all processes. Each may take 300 MB for a second or two.
PICTURES_AT_ONCE = env.count("PICTURES_AT_ONCE", default=2, least=1, most=64)

# The largest request, files included: a phone's photo, whose form asks for less than 5 MB; and on the pages where
# teachers write courses, a lesson's file of 50 MB.
LARGEST_BODY_BYTES = 12 * 1024 * 1024
LARGEST_BODY_BYTES_BELOW = {"/teach/courses/": 52 * 1024 * 1024}
# Without files. The longest text of a course's lesson is far below this.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Mail ---------------------------------------------------------------------------------------------------------
# Either EMAIL_URL (smtp+tls://user:password@host:587) or a provider that anymail supports: MAIL_PROVIDER=postmark with
# ANYMAIL_POSTMARK_SERVER_TOKEN, for example. Without either, development sends nothing; mails can be read in the admin.
globals().update(read_mail_server(env, is_development=IS_DEVELOPMENT))
# A mail server that hangs must not hold a worker longer than a lease.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.named_mailbox(
    "DEFAULT_FROM_EMAIL", default=formataddr((SITE_NAME, f"no-reply@{urlsplit(BASE_URL).hostname}"))
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# The recipients of alerts; if empty, all active superusers.
STAFF_ALERT_EMAILS = env.mailboxes("STAFF_ALERT_EMAILS")

# --- Logs ---------------------------------------------------------------------------------------------------------
LOGGING_CONFIG = "config.logging.apply"
log_level = env.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], default="INFO")
LOGGING = logging_settings(
    as_json=not IS_DEVELOPMENT,
    level=log_level,
    ours=["config", *(app for app in INSTALLED_APPS if (BASE_DIR / app).is_dir())],
)

# --- Metrics: who may read them, and where processes share them -------------------------------------------------------
METRICS_TOKEN = env.matching("METRICS_TOKEN", r"[\w.~+/=-]{16,200}", example="at least 16 letters and digits")
METRICS_NETWORKS = env.networks("METRICS_NETWORKS")
# In which the processes of one machine share their counters. Without it each process has its own.
METRICS_FOLDER = env.text("METRICS_FOLDER")
if (METRICS_TOKEN or METRICS_NETWORKS) and not METRICS_FOLDER and not IS_DEVELOPMENT:
    raise InvalidVariable(
        "METRICS_FOLDER", "must be set where metrics may be read: each request meets another process."
    )
# Where a worker listens for Prometheus, on hosts without web processes; 0 is nowhere.
METRICS_PORT = env.count("METRICS_PORT", default=0, least=0, most=65_535)
if METRICS_FOLDER:
    share_counters(METRICS_FOLDER)

# --- Celery: its messages only wake workers; durable work is in PostgreSQL --------------------------------------------
CELERY_BROKER_URL = REDIS_URL

# --- Processes: gunicorn and the Procfile read these; they are only checked here --------------------------------------
processes = read_processes(env)
# How many threads of one web process may wait for Stripe at once: half, so that pages and webhooks go on without it.
STRIPE_CALLS_AT_ONCE = max(1, processes.web_threads // 2)
warn_of_unknown_names(env)
