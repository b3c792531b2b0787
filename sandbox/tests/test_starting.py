import re
import socket
import subprocess
import sys
import time

import pytest

from sandbox.options import RefusesToStart, read_options
from sandbox.tests.sandbox_process import KEY, ROOT, SandboxProcess, environment, free_port


def start(*arguments, **changes):
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        env=environment(**{"LECTERN_ENV": ""} | changes),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    "dangerous",
    [
        {"STRIPE_SECRET_KEY": "sk_live_" + "a" * 24},
        {"STRIPE_SECRET_KEY": "rk_live_" + "a" * 24},
        {"STRIPE_PUBLISHABLE_KEY": "pk_live_" + "a" * 24},
        {"STRIPE_LIVE_SECRET_KEY": " sk_live_" + "a" * 24},
        {"PAYMENT_KEY": "rk_live_" + "a" * 24},
        {"SANDBOX_SECRET_KEY": "sk_live_" + "a" * 24},
        {"LECTERN_ENV": "production"},
        {"LECTERN_ENV": " Production "},
        {"PAYMENTS_MODE": "live"},
        {"STRIPE_LIVE_MODE": "True"},
        {"STRIPE_LIVE_MODE": "1"},
        {"DJANGO_SETTINGS_MODULE": "config.settings"},
        {"DJANGO_SETTINGS_MODULE": "config.settings", "LECTERN_ENV": "production"},
        {"DJANGO_SETTINGS_MODULE": "shop.settings.production"},
    ],
)
def test_it_refuses_to_start_with_live_keys_or_in_production(dangerous):
    started = start("--port", str(free_port()), **dangerous)
    assert started.returncode == 2
    assert "the sandbox never runs" in started.stderr
    assert "a" * 24 not in started.stderr
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize(
    "harmless",
    [
        {"LECTERN_ENV": "development"},
        {"STRIPE_LIVE_MODE": "False", "STRIPE_SECRET_KEY": "sk_test_" + "a" * 24},
        {"DJANGO_SETTINGS_MODULE": "config.settings", "LECTERN_ENV": "development"},
        {"DJANGO_SETTINGS_MODULE": "sandbox.settings"},
    ],
)
def test_it_starts_in_development(harmless):
    assert read_options(harmless).port == 12111


def test_help_lists_the_options():
    shown = start("--help")
    assert shown.returncode == 0
    for word in ("--port", "--database", "--forward-to", "SANDBOX_WEBHOOK_SECRET", "refuses to start"):
        assert word in shown.stdout
    assert start("--colour").returncode == 2


def test_a_port_in_use_is_reported_in_a_sentence(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        started = start("--port", port, "--database", str(tmp_path / "a.sqlite3"))
    assert started.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in started.stderr
    assert "SANDBOX_PORT" in started.stderr
    assert "Traceback" not in started.stderr
    assert not (tmp_path / "a.sqlite3").exists()


def test_an_unusable_database_is_reported_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "text.sqlite3").write_text("not a database but a long text " * 50)
    for name in ("file/a.sqlite3", "text.sqlite3"):
        started = start("--port", str(free_port()), SANDBOX_DATABASE=str(tmp_path / name))
        assert started.returncode == 2
        assert f"Cannot use the database {tmp_path / name}" in started.stderr
        assert "Traceback" not in started.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SANDBOX_PORT", "http"),
        ("SANDBOX_PORT", "99999"),
        ("SANDBOX_PORT", "-1"),
        ("SANDBOX_THREADS", "many"),
        ("SANDBOX_SETTLE_DELAY", "soon"),
        ("SANDBOX_ASYNC_DELAY", "-5"),
        ("SANDBOX_ASYNC_DELAY", "nan"),
        ("SANDBOX_RETRY_DELAYS", "1;2"),
    ],
)
def test_a_malformed_variable_is_named(name, value):
    with pytest.raises(RefusesToStart, match=name):
        read_options({name: value})


def test_the_readme_lists_every_variable_and_no_other():
    read = re.findall(r"SANDBOX_[A-Z_]+", (ROOT / "sandbox" / "options.py").read_text())
    listed = re.findall(r"`(SANDBOX_[A-Z_]+)`", (ROOT / "sandbox" / "README.md").read_text())
    assert set(listed) == set(read)


def test_it_refuses_event_types_that_stripe_does_not_have(tmp_path):
    address = (
        "--port",
        str(free_port()),
        "--forward-to",
        "http://127.0.0.1:9/",
        "--database",
        str(tmp_path / "s.sqlite3"),
    )
    started = start(*address, "--events", "charge.succeeded,charge.exploded")
    assert started.returncode == 2
    assert "SANDBOX_WEBHOOK_EVENTS: Invalid enabled_events[1]" in started.stderr
    assert "Traceback" not in started.stderr


def test_it_logs_its_addresses_and_each_delivery(tmp_path, own_receiver):
    own_receiver.answers[:] = [500]
    process = SandboxProcess(tmp_path, SANDBOX_WEBHOOK_URL=own_receiver.url)
    try:
        event = process.client.v1.customers.create() and process.client.v1.events.list().data[0]
        process.advance(2)
        last = f"<--  [200] POST {own_receiver.url} [{event.id}]\n"
        ends_at = time.monotonic() + 10
        while last not in process.log.read_text() and time.monotonic() < ends_at:
            time.sleep(0.05)
    finally:
        process.close()
    log = process.log.read_text()
    for line in (
        f"listening on {process.url}\n",
        f"API        {process.url}/v1",
        f"Dashboard  {process.url}/\n",
        f"Webhooks   {own_receiver.url}\n",
        f"Database   {tmp_path / 'sandbox.sqlite3'}\n",
        f"--> customer.created [{event.id}]\n",
        f"<--  [500] POST {own_receiver.url} [{event.id}]\n",
        last,
    ):
        assert line in log
    assert KEY not in log


def test_a_key_that_dj_stripe_would_refuse_is_refused():
    with pytest.raises(RefusesToStart, match="24 letters or digits"):
        read_options({"SANDBOX_SECRET_KEY": "sk_test_short"})


def test_the_default_key_has_the_shape_of_a_test_key():
    assert read_options({}).secret_key == "sk_test_sandbox00000000000000000"


def test_the_public_url_defaults_to_the_address_it_listens_on():
    assert read_options({"SANDBOX_PORT": "4242"}).public_url == "http://127.0.0.1:4242"
    assert read_options({"SANDBOX_PUBLIC_URL": "https://pay.example/"}).public_url == "https://pay.example"


def test_it_imports_nothing_of_the_site():
    script = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'sandbox.settings'; django.setup(); "
        "import sandbox.urls, sandbox.serving; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "{'config', 'accounts', 'catalogue', 'payments', 'bookings', 'workshops', 'courses', 'ledger', 'notifications', 'jobs', 'money', 'djstripe', 'demo'}])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(SANDBOX_DATABASE="/nowhere/never-opened.sqlite3"),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert ran.stdout.strip() == "[]"
