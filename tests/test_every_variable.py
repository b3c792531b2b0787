"""Every variable the site reads, with senseless values: refused by name, or as harmless as if it were not set."""

import os
import runpy
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest

from config.environment import Environment, InvalidVariable
from config.stripe_keys import SANDBOX_SECRET_KEY, SANDBOX_WEBHOOK_SECRET
from demo.stack import CHECKOUT
from tests.test_production_settings import COMPLETE

KEY = "51ProductionKey0000000000"
NUMBERS = ["-1", "+1", "1.5", "1e3", "NaN", "inf", "0x10", "1_000", "٣", "many", "9" * 30]
ADDRESSES = ["lectern.example", "https://", "javascript:alert(1)", "https://a b.example", "https://[::1", "https:/x.y"]
SITES = [
    *ADDRESSES,
    "https://lectern.example/shop",
    "https://lectern.example?x=1",
    "https://u:p@lectern.example",
    "https://lectern.example:99999",
    "https://-x.example",
    "http://lectern.example",
    "ftp://lectern.example",
]
SERVERS = ["127.0.0.1", "http://127.0.0.1", "mysql://127.0.0.1/x", "//127.0.0.1", "postgres:127.0.0.1/x"]
WORDS = ["yes please", "2", "-1", "NaN"]

# name: (a sensible value, senseless values)
VARIABLES = {
    "LECTERN_ENV": ("production", ["staging", "Production", "prod", "1", "development,production"]),
    "DEBUG": ("0", ["1", "on", "True", *WORDS]),
    "SECRET_KEY": (
        "k3" * 10 + "abcdefghijklmnopqrstuvwxyz0123456789",
        [
            "x",
            "x" * 60,
            "short-but-random-7f3kq9x2m5v8",
            "development-only-and-known-to-everybody-so-never-in-production",
        ],
    ),
    "BASE_URL": ("https://lectern.example", SITES),
    "FRONTEND_URL": ("https://www.lectern.example", SITES),
    "API_BASE_URL": ("https://api.lectern.example", SITES),
    "SELLER_NAME": ("Ada & Co.", ["x" * 121, "Ada\nBcc: all@example.org"]),
    "SELLER_ADDRESS": ("1 Quay Street, Leith", ["x" * 301, "Leith\nScotland"]),
    "SELLER_TAX_NUMBER": ("GB 123", ["1" * 41]),
    "CONTACT_EMAIL": ("hello@lectern.example", ["lectern.example", "a@b@c.example"]),
    "SITE_NAME": ("Lectern", ["x" * 61, "Lectern\nBcc: all@example.org"]),
    "ALLOWED_HOSTS": (
        "lectern.example,.lectern.test",
        [
            "*",
            "https://lectern.example",
            "lectern.example:443",
            "a b",
            "a,,b",
            "a,",
            "lectern.example,lectern.example",
            "-x",
        ],
    ),
    "TRUSTED_PROXY_COUNT": ("1", [*NUMBERS, "11"]),
    "HSTS_SECONDS": ("0", [*NUMBERS, "315360001"]),
    "STAFF_NEEDS_MFA": ("1", WORDS),
    "ADMIN_NETWORKS": ("203.0.113.0/24,2001:db8::/32", ["203.0.113.7/24", "office", "203.0.113.0/33", "*", "1.2.3"]),
    "METRICS_TOKEN": ("k3k3k3k3k3k3k3k3k3k3", ["short", "with a space in it", "x" * 201]),
    "METRICS_NETWORKS": (
        "10.0.0.0/8,127.0.0.1,::1",
        ["10.0.0.1/8", "lectern.example", "*", "10.0.0.0/8,,", "300.1.1.1"],
    ),
    "METRICS_FOLDER": ("/tmp/lectern-metrics", []),
    "METRICS_PORT": ("9100", [*NUMBERS, "65536"]),
    "LOG_LEVEL": ("DEBUG", ["debug", "TRACE", "10", "-1", "NaN"]),
    "DATABASE_URL": (
        "postgres://lectern:p%2Fw@db.example:5432/lectern",
        [
            *SERVERS,
            "postgres://db.example",
            "postgres://db.example/",
            "postgres://db.example:99999/x",
            "sqlite:///x.db",
        ],
    ),
    "DATABASE_DIRECT_URL": (
        "postgres://lectern@db.example/lectern",
        [*SERVERS, "postgres://db.example", "sqlite:///x.db"],
    ),
    "DATABASE_POOLED": ("1", WORDS),
    "DATABASE_LOCK_SECONDS": ("3", [*NUMBERS, "601"]),
    "DATABASE_STATEMENT_SECONDS": ("0", [*NUMBERS, "3601"]),
    "DATABASE_IDLE_SECONDS": ("60", [*NUMBERS, "3601"]),
    "REDIS_URL": ("rediss://:secret@redis.example:6379/0", [*SERVERS, "redis://x:99999/0", "memory://"]),
    "MEDIA_ROOT": ("/srv/media", ["/", str(CHECKOUT), str(CHECKOUT.parent), "."]),
    "PRIVATE_MEDIA_ROOT": (
        "/srv/private",
        [str(CHECKOUT / "media"), str(CHECKOUT / "media" / "private"), "media/../media"],
    ),
    "STRIPE_SECRET_KEY": (
        f"rk_test_{KEY}",
        [
            "x",
            "sk_test_",
            "sk_test_x",
            f"pk_test_{KEY}",
            f"whsec_{KEY}",
            f"sk_prod_{KEY}",
            f"sk_test_{KEY}\nX: y",
            f"sk_test_{KEY} sk_test_{KEY}",
            f"sk_live_{KEY}",
            f"sk_test_{'x' * 300}",
            SANDBOX_SECRET_KEY,
        ],
    ),
    "STRIPE_PUBLISHABLE_KEY": (f"pk_test_{KEY}", ["x", f"sk_test_{KEY}", f"pk_live_{KEY}", "pk_test_x"]),
    "PAYMENTS_MODE": ("test", ["live", "sandbox", "Test", "x"]),
    "STRIPE_WEBHOOK_SECRETS": (
        f"whsec_{KEY}a, whsec_{KEY}b",
        [
            ",",
            f"whsec_{KEY},",
            f",whsec_{KEY}",
            f"whsec_{KEY},,whsec_{KEY}b",
            f"whsec_{KEY},whsec_{KEY}",
            "x",
            "whsec_a",
            f"sk_test_{KEY}",
            f"whsec_{KEY}; whsec_{KEY}b",
            SANDBOX_WEBHOOK_SECRET,
            f"whsec_{KEY}, {SANDBOX_WEBHOOK_SECRET}",
        ],
    ),
    "STRIPE_WEBHOOK_SECRET": (
        f"whsec_{KEY}c",
        ["x", "whsec_a", f"whsec_{KEY}a,whsec_{KEY}b", f"sk_test_{KEY}", SANDBOX_WEBHOOK_SECRET],
    ),
    "STRIPE_ACCOUNT_ID": (
        "acct_1OnlyForChecking",
        ["x", "acct_", "ACCT_1OnlyForChecking", "acct_1 2", "acct_" + "x" * 99],
    ),
    "STRIPE_API_VERSION": ("2026-11-18.endive", ["endive", "2026-11-18", "2026-11-18.endive; x", "latest"]),
    "STRIPE_LOG": ("", ["debug", "info", "x"]),
    "SANDBOX_URL": ("http://127.0.0.1:12111", ["x", "file:///etc/passwd", "http://x/; script-src *", "http://x:99999"]),
    "PICTURES_AT_ONCE": ("4", [*NUMBERS, "0", "65"]),
    "CHECKOUT_MINUTES": ("45", [*NUMBERS, "0", "5", "30", "1440"]),
    "WEBHOOK_EVENT_DAYS": ("31", [*NUMBERS, "0", "30"]),
    "MAIL_DAYS": ("31", [*NUMBERS, "0", "30"]),
    "ACCOUNT_MAIL_DAYS": ("2", [*NUMBERS, "0", "1"]),
    "ALERT_DAYS": ("1", [*NUMBERS, "0"]),
    "AUDIT_TRAIL_DAYS": ("366", [*NUMBERS, "365"]),
    "EXPIRED_SESSION_DAYS": ("0", NUMBERS),
    "FINISHED_SYNC_DAYS": ("1", [*NUMBERS, "0"]),
    "GUEST_CART_DAYS": ("1", [*NUMBERS, "0"]),
    "CHECKOUT_RETURN_ORIGINS": ("https://school.example,https://shop.example", [*SITES, "https://a.example,,"]),
    "CORS_ALLOWED_ORIGINS": ("https://school.example", [*SITES, "*", "null"]),
    "STORED_ANSWER_DAYS": ("1", [*NUMBERS, "0"]),
    "WEBHOOK_DELIVERY_DAYS": ("1", [*NUMBERS, "0"]),
    "SUBSCRIPTION_GRACE_DAYS": ("14", [*NUMBERS, "0", "29"]),
    "DEFAULT_COMMISSION_BPS": ("0", [*NUMBERS, "10001", "20000", "-500", "10 %"]),
    "EARNINGS_HOLDING_DAYS": ("14", [*NUMBERS, "366"]),
    "STRIPE_CONNECT_ACCOUNTS": ("v2", ["v3", "express", "V1", *WORDS]),
    "PAYOUT_MINIMUMS": (
        "GBP:10,KWD:1.005",
        ["GBP", "10", "GBP:", "GBP:0", "GBP:-1", "GBP:1e3", "GBP:1.001", "JPY:0.5", "XXQ:1", "GBP:1,GBP:2", "GBP 10"],
    ),
    "PLATFORM_COMMISSION_RATE": (
        "0.10",
        [
            "-0.05",
            "2",
            "10",
            "1.0001",
            "0.10001",
            "0,10",
            "10%",
            "NaN",
            "inf",
            "1e-1",
            "+0.1",
            ".1",
            "٠",
            "0." + "1" * 40,
        ],
    ),
    "TAX_RATE_BPS": ("2000", [*NUMBERS, "10001"]),
    "TAX_MODE": ("added", ["inclusive", "Added", *WORDS]),
    "TAX_RATES": (
        "*:2000, courses:500, courses:700@2027-01-01",
        [
            "2000",
            "courses",
            "courses:",
            "courses:20%",
            "courses:10001",
            "courses:-1",
            "COURSES:1",
            "courses:1@2027-02-30",
            "courses:1@2027",
            "courses:1,courses:2",
            "courses:1@",
        ],
    ),
    "TAX_OWED_BY": ("platform", ["seller", "Teacher", *WORDS]),
    "TAX_LABEL": ("MwSt.", ["x" * 31]),
    "CURRENCIES": ("USD, EUR", ["usd", "USD,", "USD,USD", "US", "USD;EUR", "XXX1", "$"]),
    "DEFAULT_CURRENCY": ("EUR", ["CHF", "eur", "EUR,GBP", "x"]),
    "EMAIL_URL": (
        "smtp+tls://lectern:p%3Fw@smtp.example:587",
        [
            *SERVERS,
            "smtp+tls://",
            "smtp://smtp.example?debug=1",
            "smtp://smtp.example:99999",
            "dummymail://",
            "consolemail://",
            "filemail:///tmp/mails",
            "memorymail://",
        ],
    ),
    "MAIL_PROVIDER": ("postmark", ["test", "console", "base", "Postmark", "../postmark", "os"]),
    "DEFAULT_FROM_EMAIL": (
        "Lectern <no-reply@lectern.example>",
        [
            "x",
            "Lectern",
            "<no-reply@lectern.example",
            "a@b.example, c@d.example",
            "a@b.example>",
            "x\nBcc: a@b.example",
        ],
    ),
    "STAFF_ALERT_EMAILS": (
        "a@lectern.example, b@lectern.example",
        ["x", "a@b", "a@lectern.example,", "a@lectern.example;b"],
    ),
    "PORT": ("8000", [*NUMBERS, "0", "65536"]),
    **dict.fromkeys(
        [
            "WEB_CONCURRENCY",
            "WEB_THREADS",
            "WORKER_CONCURRENCY",
            "STRIPE_CONCURRENCY",
            "WEBHOOKS_CONCURRENCY",
            "BACKGROUND_CONCURRENCY",
        ],
        ("3", [*NUMBERS, "0", "257"]),
    ),
}
# What some need beside them.
TOGETHER = {
    "PLATFORM_COMMISSION_RATE": {"DEFAULT_COMMISSION_BPS": "1000"},
    "METRICS_TOKEN": {"METRICS_FOLDER": "/tmp/lectern-metrics"},
    "METRICS_NETWORKS": {"METRICS_FOLDER": "/tmp/lectern-metrics"},
}
# No variable may contain these in any place: they forge lines in logs and headers, or are not text at all.
CONTROL = ["\n", "\r", "\x1b[31m", "\x07", "\x7f", "\x85", "\u2028", "\udcff"]


def load(**changes):
    """Run the settings with exactly this environment; blank values hide a developer's `.env`."""
    environment = dict.fromkeys(VARIABLES, "") | COMPLETE | changes
    with mock.patch.dict(os.environ, environment, clear=True):
        return runpy.run_path(str(CHECKOUT / "config" / "settings.py"))


def plain(settings):
    """The comparable values: no functions, no objects."""
    kinds = str | int | list | tuple | timedelta | Path | None
    kept = {name: value for name, value in settings.items() if name.isupper() and isinstance(value, kinds)}
    return kept | {
        "DATABASES": settings["DATABASES"],
        "COMMANDS": settings["DATABASE_OF_COMMANDS"],
        "ANYMAIL": settings.get("ANYMAIL"),
    }


def outcome(**changes):
    try:
        return plain(load(**changes))
    except InvalidVariable as refusal:
        return str(refusal)


def test_the_table_holds_every_variable_that_is_read():
    assert set(VARIABLES) == load()["env"].names


@pytest.mark.parametrize("name", VARIABLES)
def test_a_sensible_value_is_taken_with_spaces_around_it_too(name):
    good, _ = VARIABLES[name]
    together = TOGETHER.get(name, {})
    expected = plain(load(**{name: good}, **together))
    assert plain(load(**{name: f"  {good}\t"}, **together)) == expected


@pytest.mark.parametrize("name", VARIABLES)
def test_a_blank_variable_counts_as_missing(name):
    assert outcome(**{name: " \t "}) == outcome(**{name: ""})


@pytest.mark.parametrize(
    ("name", "value"), [(name, bad) for name, (_, hostile) in VARIABLES.items() for bad in hostile]
)
def test_a_senseless_value_is_refused_by_name(name, value):
    with pytest.raises(InvalidVariable) as refused:
        load(**{name: value})
    # A key of the other mode is refused by the variable that declares the mode.
    assert name in str(refused.value)
    assert len(value) < 20 or value not in str(refused.value)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("character", CONTROL)
def test_control_characters_are_refused_by_name(name, character):
    good = VARIABLES[name][0] or "debug"
    middle = max(len(good) // 2, 1)
    with pytest.raises(InvalidVariable, match=rf"^{name} holds control characters"):
        load(**{name: f"{good[:middle]}{character}{good[middle:]}x"})


def test_a_providers_own_variables_are_checked_and_stripped():
    provider = {"MAIL_PROVIDER": "postmark", "EMAIL_URL": ""}
    loaded = load(**provider, ANYMAIL_POSTMARK_SERVER_TOKEN=" token ", ANYMAIL_X="  ")
    assert loaded["ANYMAIL"] == {"POSTMARK_SERVER_TOKEN": "token", "REQUESTS_TIMEOUT": 10}
    with pytest.raises(InvalidVariable, match="ANYMAIL_POSTMARK_SERVER_TOKEN"):
        load(**provider, ANYMAIL_POSTMARK_SERVER_TOKEN="to\nken")


@pytest.mark.parametrize("name", ["SECRET_KEY", "BASE_URL", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "STRIPE_SECRET_KEY",
                                  "PAYMENTS_MODE", "STRIPE_WEBHOOK_SECRETS"])  # fmt: skip
def test_what_production_cannot_do_without_is_asked_for_by_name(name):
    with pytest.raises(InvalidVariable, match=name):
        load(**{name: ""})


@pytest.mark.parametrize("name", ["METRICS_TOKEN", "METRICS_NETWORKS"])
def test_metrics_that_may_be_read_need_a_folder_in_which_processes_share_them(name):
    with pytest.raises(InvalidVariable, match="METRICS_FOLDER"):
        load(**{name: VARIABLES[name][0]})


def test_development_needs_nothing_and_pays_at_the_sandbox():
    with mock.patch.dict(os.environ, dict.fromkeys(VARIABLES, "") | {"LECTERN_ENV": "development"}, clear=True):
        loaded = runpy.run_path(str(CHECKOUT / "config" / "settings.py"))
    assert (loaded["PAYMENTS_MODE"], loaded["STRIPE_WEBHOOK_SECRETS"]) == ("sandbox", [SANDBOX_WEBHOOK_SECRET])


def test_development_never_holds_a_key_that_moves_money():
    with pytest.raises(InvalidVariable, match="LECTERN_ENV must be production"):
        load(LECTERN_ENV="development", STRIPE_SECRET_KEY=f"sk_live_{KEY}", PAYMENTS_MODE="live")


# --- The names operators know


def test_each_of_several_webhook_secrets_is_stripped():
    loaded = load(STRIPE_WEBHOOK_SECRETS=f" whsec_{KEY}a , whsec_{KEY}b ")
    assert loaded["STRIPE_WEBHOOK_SECRETS"] == [f"whsec_{KEY}a", f"whsec_{KEY}b"]


def test_one_webhook_secret_may_stand_alone_or_beside_the_others():
    alone = load(STRIPE_WEBHOOK_SECRETS="", STRIPE_WEBHOOK_SECRET=f"whsec_{KEY}c")
    assert alone["STRIPE_WEBHOOK_SECRETS"] == [f"whsec_{KEY}c"]
    beside = load(STRIPE_WEBHOOK_SECRETS=f"whsec_{KEY}a", STRIPE_WEBHOOK_SECRET=f"whsec_{KEY}c")
    assert beside["STRIPE_WEBHOOK_SECRETS"] == [f"whsec_{KEY}a", f"whsec_{KEY}c"]
    same = load(STRIPE_WEBHOOK_SECRETS=f"whsec_{KEY}a", STRIPE_WEBHOOK_SECRET=f"whsec_{KEY}a")
    assert same["STRIPE_WEBHOOK_SECRETS"] == [f"whsec_{KEY}a"]


@pytest.mark.parametrize(
    ("rate", "basis_points"), [("0", 0), ("0.10", 1000), ("0.0001", 1), ("0.285", 2850), ("1.0", 10_000)]
)
def test_the_commission_rate_is_exact(rate, basis_points):
    assert load(PLATFORM_COMMISSION_RATE=rate)["DEFAULT_COMMISSION_BPS"] == basis_points


def test_two_variables_that_disagree_about_the_commission_are_refused():
    assert load(PLATFORM_COMMISSION_RATE="0.1", DEFAULT_COMMISSION_BPS="1000")["DEFAULT_COMMISSION_BPS"] == 1000
    with pytest.raises(InvalidVariable, match="PLATFORM_COMMISSION_RATE and DEFAULT_COMMISSION_BPS"):
        load(PLATFORM_COMMISSION_RATE="0.15", DEFAULT_COMMISSION_BPS="1000")


def test_links_lead_to_the_address_people_know_and_every_address_is_answered():
    loaded = load(FRONTEND_URL="https://www.lectern.example", API_BASE_URL="https://api.lectern.example/")
    assert (loaded["BASE_URL"], loaded["API_BASE_URL"]) == (
        "https://www.lectern.example",
        "https://api.lectern.example",
    )
    assert loaded["ALLOWED_HOSTS"] == ["api.lectern.example", "lectern.example", "www.lectern.example"]
    assert loaded["CSRF_TRUSTED_ORIGINS"] == ["https://lectern.example", "https://www.lectern.example"]


def test_one_address_is_enough():
    for loaded in (load(), load(BASE_URL="", FRONTEND_URL="https://lectern.example")):
        assert (loaded["BASE_URL"], loaded["API_BASE_URL"]) == ("https://lectern.example",) * 2
        assert loaded["ALLOWED_HOSTS"] == ["lectern.example"]


@pytest.mark.parametrize(
    ("mistyped", "known"),
    [
        ("STRIPE_WEBHOOK_SIGNING_SECRET", "STRIPE_WEBHOOK_SECRET"),
        ("STRIPE_API_KEY", "STRIPE_SECRET_KEY"),
        ("PLATFORM_COMMISSION", "PLATFORM_COMMISSION_RATE"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("SECRETKEY", "SECRET_KEY"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("CHECKOUT_MINUTE", "CHECKOUT_MINUTES"),
    ],
)
def test_a_mistyped_name_is_warned_about_with_the_nearest_known_name(mistyped, known, caplog):
    load(**{mistyped: "whsec_NeverInALog"})
    assert f"variable {mistyped} is not known" in caplog.text
    if mistyped != "STRIPE_API_KEY":
        assert f"Did you mean {known}?" in caplog.text
    assert "NeverInALog" not in caplog.text


def test_what_belongs_to_others_is_not_warned_about(caplog):
    load(
        PATH="/bin", HOME="/root", LANG="C", SANDBOX_WEBHOOK_SECRET="x", ANYMAIL_X="x", LECTERN_SERVICE_HOST="10.0.0.1",
        LECTERN_PORT="tcp://10.0.0.1:80", LECTERN_PORT_80_TCP_ADDR="10.0.0.1", REDIS_PASSWORD="x", DJANGO_SETTINGS_MODULE="x",
        KUBERNETES_PORT="x", PYTHONUNBUFFERED="1", WEB_MEMORY="x",
    )  # fmt: skip
    assert not caplog.text


def test_gunicorn_reads_the_checked_counts():
    environment = COMPLETE | {"PORT": " 8123 ", "WEB_CONCURRENCY": "3", "WEB_THREADS": "5"}
    with mock.patch.dict(os.environ, environment, clear=True):
        loaded = runpy.run_path(str(CHECKOUT / "config" / "gunicorn.py"))
    assert (loaded["bind"], loaded["workers"], loaded["threads"]) == ("0.0.0.0:8123", 3, 5)
    with mock.patch.dict(os.environ, COMPLETE | {"WEB_THREADS": "-4"}, clear=True), pytest.raises(InvalidVariable):
        runpy.run_path(str(CHECKOUT / "config" / "gunicorn.py"))


def test_a_value_with_a_dollar_sign_is_taken_as_it_is():
    assert Environment({"SITE_NAME": "$PATH"}).text("SITE_NAME") == "$PATH"
