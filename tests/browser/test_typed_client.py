"""A typed client, generated from the document that the running site serves, takes a program from token to paid order.

The generator knows nothing but the document, and mypy nothing but the client: both fail if the document is not true.
"""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.browser.test_api_guide import make_token

JOURNEY = Path(__file__).with_name("typed_journey.py")
# A receipt is a file; the generator knows files only by this name.
CONFIG = 'content_type_overrides:\n  application/pdf: "application/octet-stream"\n'


def run(*command, folder, **environment):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def client_folder(site, tmp_path):
    """A folder with the generated package `lectern_client`."""
    (tmp_path / "config.yml").write_text(CONFIG)
    said = run(
        *("openapi-python-client", "generate", "--url", f"{site.base_url}/api/schema/?format=json"),
        *("--output-path", "lectern_client", "--meta", "none", "--config", "config.yml", "--fail-on-warning"),
        folder=tmp_path,
    )
    assert "Generating" in said
    return tmp_path


def test_the_generated_client_buys_and_gives_back(site, new_student, client_folder, monkeypatch):
    (client_folder / "typed_journey.py").write_text(JOURNEY.read_text())
    # The generator's own template is not strict; what it says about types is what counts.
    run(*(sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", JOURNEY.name), folder=client_folder)
    monkeypatch.syspath_prepend(client_folder)
    journey = importlib.import_module("typed_journey")
    token = make_token(new_student().page)
    with journey.AuthenticatedClient(base_url=site.base_url, token=token) as client:
        bought, receipt = journey.buy_a_course(client, lambda session_id: pay(site, session_id))
        assert bought.state == "completed"
        assert receipt.startswith(b"%PDF-")
        (line,) = bought.lines
        assert journey.give_back(client, line.id).amount == bought.total


def pay(site, session_id):
    """Pay as the sandbox's page does."""
    fields = urlencode({"payment_method": "pm_card_visa"}).encode()
    site._ask_sandbox(f"v1/payment_pages/{session_id}/confirm", fields, kind="application/x-www-form-urlencoded")
