"""What the guide for integrators says is true: its commands check signatures, and its figures are the code's."""

import re
import subprocess
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.utils import timezone
from standardwebhooks import WebhookVerificationError

from webhooks import retry_after, transport
from webhooks.endpoints import ENDPOINTS_AT_MOST, OVERLAP
from webhooks.messages import body_of, headers_of
from webhooks.models import Delivery, EndpointSecret, Event
from webhooks.models.deliveries import LONGEST_BEGINNING
from webhooks.standing import DISABLED_AFTER

GUIDE = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()


@pytest.fixture
def message():
    event = Event(
        message_id="evt_1",
        type="order.paid",
        version=1,
        data={"order": "LX1", "amount": "25.00"},
        created_at=timezone.now(),
    )
    secrets = [EndpointSecret(secret=f"whsec_{letter * 43}=") for letter in "AB"]
    body = body_of(event)
    return body, headers_of(event, body, secrets=secrets, at=timezone.now()), secrets


def check_with_openssl(folder, body, headers, secret):
    [command] = [block for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) if "openssl dgst" in block]
    (folder / "body.json").write_text(body)
    variables = {name.upper().replace("-", "_"): value for name, value in headers.items()}
    ran = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "SECRET": secret, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout.strip(), ran.stderr


def test_the_commands_with_openssl_tell_right_from_wrong(message, tmp_path):
    body, headers, (first, second) = message
    for secret in (first.secret, second.secret):
        assert check_with_openssl(tmp_path, body, headers, secret) == ("right", "")
    assert check_with_openssl(tmp_path, body.replace("25.00", "26.00"), headers, first.secret) == ("wrong", "")
    assert check_with_openssl(tmp_path, body, headers, f"whsec_{'C' * 43}=") == ("wrong", "")


def test_the_python_of_the_guide_accepts_a_message(message):
    body, headers, (first, _) = message
    [code] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    delivered = []
    names = {
        "SECRET": first.secret,
        "remember_once": lambda _id: True,
        "deliver": delivered.append,
    }
    exec(code, names)
    request = SimpleNamespace(headers=headers, body=body.encode())
    names["receive"](request)
    assert delivered == ["LX1"]
    request.body = request.body.replace(b"LX1", b"LX2")
    with pytest.raises(WebhookVerificationError):
        names["receive"](request)
    assert delivered == ["LX1"]


@pytest.mark.parametrize(
    "said",
    [
        f"{Delivery.max_attempts} tries in about two and a half days",
        f"up to {Delivery.longest_retry_delay.total_seconds() / 3600:.0f} hours",
        f"within {transport.DEADLINE_SECONDS:.0f} seconds",
        f"the first {LONGEST_BEGINNING} characters",
        "honoured up to a day" if retry_after.LONGEST.days == 1 else "",
        "five days without a single success" if DISABLED_AFTER.days == 5 else "",
        "For 24 hours messages carry" if OVERLAP.total_seconds() == 86_400 else "",
        "You can have ten endpoints" if ENDPOINTS_AT_MOST == 10 else "",
        f"kept for {settings.WEBHOOK_DELIVERIES_KEPT.days} days",
    ],
)
def test_the_figures_of_the_guide_are_those_of_the_code(said):
    assert said
    assert said in " ".join(GUIDE.split())


def test_the_tries_take_about_two_and_a_half_days():
    delays = [
        min(Delivery.first_retry_delay * 2**number, Delivery.longest_retry_delay)
        for number in range(Delivery.max_attempts - 1)
    ]
    assert 2.3 < sum(delay.total_seconds() for delay in delays) / 86_400 < 2.7
