import subprocess
import sys

import pytest

from sandbox.options import RefusesToStart, read_options
from sandbox.tests.sandbox_process import ROOT, environment


@pytest.mark.parametrize(
    "dangerous",
    [
        {"STRIPE_SECRET_KEY": "sk_live_" + "a" * 24},
        {"STRIPE_SECRET_KEY": "rk_live_" + "a" * 24},
        {"SANDBOX_SECRET_KEY": "sk_live_" + "a" * 24},
        {"LECTERN_ENV": "production"},
    ],
)
def test_it_never_starts_beside_real_money(dangerous):
    started = subprocess.run(
        [sys.executable, "-m", "sandbox"],
        cwd=ROOT,
        env=environment(**dangerous),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert started.returncode == 2
    assert "the sandbox never runs" in started.stderr
    assert "a" * 24 not in started.stderr


def test_a_key_dj_stripe_would_refuse_is_refused():
    with pytest.raises(RefusesToStart, match="24 letters or digits"):
        read_options({"SANDBOX_SECRET_KEY": "sk_test_short"})


def test_the_default_key_has_the_shape_of_a_test_key():
    assert read_options({}).secret_key == "sk_test_sandbox00000000000000000"


def test_public_url_defaults_to_where_it_listens():
    assert read_options({"SANDBOX_PORT": "4242"}).public_url == "http://127.0.0.1:4242"
    assert read_options({"SANDBOX_PUBLIC_URL": "https://pay.example/"}).public_url == "https://pay.example"


def test_it_imports_nothing_of_the_application_around_it():
    script = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'sandbox.settings'; django.setup(); "
        "import sandbox.urls, sandbox.serving; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "{'config', 'accounts', 'catalogue', 'payments', 'bookings', 'workshops', 'courses', 'notifications', 'jobs', 'money', 'stripe', 'djstripe'}])"
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
