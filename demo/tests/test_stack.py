from config.stripe_keys import SANDBOX_WEBHOOK_SECRET
from demo.stack import Stack


def make_stack(tmp_path, **environment):
    given = {"DATABASE_URL": "postgres://127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1/0"} | environment
    return Stack(folder=tmp_path, environment=given, sink=lambda name, line: None)


def test_the_sandbox_signs_with_the_secret_the_site_expects(tmp_path):
    assert make_stack(tmp_path).environment()["SANDBOX_WEBHOOK_SECRET"] == SANDBOX_WEBHOOK_SECRET


def test_given_servers_are_used_and_none_started(tmp_path):
    stack = make_stack(tmp_path)
    assert stack.servers == []
    assert stack.environment()["DATABASE_URL"] == "postgres://127.0.0.1/x"
    assert stack.environment()["REDIS_URL"] == "redis://127.0.0.1/0"


def test_with_a_key_of_ones_own_there_is_no_sandbox(tmp_path):
    assert "sandbox" in [process.name for process in make_stack(tmp_path).site]
    with_key = make_stack(tmp_path, STRIPE_SECRET_KEY="sk_test_1")
    assert "sandbox" not in [process.name for process in with_key.site]


def test_a_given_address_is_kept_and_its_port_listened_on(tmp_path):
    stack = make_stack(tmp_path, BASE_URL="http://127.0.0.1:8765/")
    assert stack.environment()["BASE_URL"] == "http://127.0.0.1:8765"
    assert "127.0.0.1:8765" in stack.web.command.arguments


def test_the_sandbox_does_not_inherit_the_sites_django_settings(tmp_path):
    assert "DJANGO_SETTINGS_MODULE" not in make_stack(tmp_path, DJANGO_SETTINGS_MODULE="config.settings").environment()
