import re
import subprocess
import sys

import pytest
import requests

from sandbox.options import API_VERSION, RefusesToStart, read_options
from sandbox.tests.sandbox_process import KEY, ROOT, environment


def ask(sandbox, version):
    return requests.get(f"{sandbox.url}/v1/customers", auth=(KEY, ""), headers={"Stripe-Version": version}, timeout=10)


@pytest.mark.parametrize("version", ["2020-08-27", "2027-01-31.fern", "2025-03-31.basil"])
def test_an_unknown_version_is_answered_in_the_sandboxs_version_with_a_warning(sandbox, version):
    answer = ask(sandbox, version)
    assert answer.status_code == 200
    assert answer.headers["Stripe-Version"] == API_VERSION
    assert re.match(r'299 \S+ ".*' + re.escape(version), answer.headers["Warning"])
    assert version in sandbox.log.read_text()


@pytest.mark.parametrize("version", ["2026-03-25.dahlia", API_VERSION, "2026-11-18.endive"])
def test_a_supported_version_is_answered_without_a_warning(sandbox, version):
    answer = ask(sandbox, version)
    assert (answer.headers["Stripe-Version"], "Warning" in answer.headers) == (version, False)


@pytest.mark.parametrize("version", ["latest", "2026-13-01.dahlia", "2026-08-26.dahlia; x", "2026-8-6", "0000-01-01"])
def test_an_invalid_version_is_refused(sandbox, version):
    answer = ask(sandbox, version)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Invalid Stripe API version: {version}"


CREATES = {
    "payment_intents": ({"amount": 2000, "currency": "usd"}, "payment_method_types_no_longer_supported"),
    "setup_intents": ({}, "payment_method_types_no_longer_supported"),
    "checkout/sessions": (
        {"mode": "setup", "currency": "usd", "success_url": "http://shop.example/"},
        "parameter_unknown",
    ),
}


@pytest.mark.parametrize("path", CREATES)
def test_endive_takes_no_payment_method_types(sandbox, path):
    params, code = CREATES[path]

    def create(version, **types):
        headers = {"Stripe-Version": version}
        return requests.post(f"{sandbox.url}/v1/{path}", params | types, auth=(KEY, ""), headers=headers, timeout=10)

    types = {"payment_method_types[]": "card"}
    assert create(API_VERSION, **types).status_code == 200
    refused = create("2026-09-30.endive", **types)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert create("2026-09-30.endive").status_code == 200


def test_the_version_of_events_and_of_calls_that_name_none_can_be_chosen():
    assert read_options({}).api_version == API_VERSION
    assert read_options({"SANDBOX_API_VERSION": "2026-11-18.endive"}).api_version == "2026-11-18.endive"
    with pytest.raises(RefusesToStart, match="SANDBOX_API_VERSION must be one of"):
        read_options({"SANDBOX_API_VERSION": "2027-01-31.fern"})


OWN_CLIENT = """
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
django.setup()
import sandbox.urls
from sandbox.protocol.published import unpublished
print(sorted(unpublished()))
"""
NEWER_CLIENT = """
import stripe.params._payment_intent_create_params as create, stripe.params._setup_intent_update_params as update
for typed in (create.PaymentIntentCreateParams, update.SetupIntentUpdateParams):
    typed.__annotations__["allowed_payment_method_types"] = typed.__annotations__.pop("payment_method_types")
    typed.__annotations__.pop("description")
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
django.setup()
import sandbox.urls
from sandbox.resources import payment_intents
from sandbox.protocol.routing import match
accepts = match("POST", "/v1/payment_intents")[0].accepts
form = {"amount": "2000", "currency": "usd", "payment_method_types": ["card"], "description": "Clay"}
print(accepts.read(form, ""))
"""


def run(script, directory):
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(SANDBOX_DATABASE=str(directory / "sandbox.sqlite3")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.stdout + ran.stderr


def test_it_starts_with_a_client_that_renamed_parameters(tmp_path):
    assert "'payment_method_types': ['card'], 'description': 'Clay'" in run(NEWER_CLIENT, tmp_path)


def test_every_parameter_the_sandbox_accepts_is_in_the_locked_client(tmp_path):
    assert run(OWN_CLIENT, tmp_path).strip() == "[]"
