"""The whole site with three times as many slow clients as it has threads."""

import json
import threading
import time

import pytest
import requests

from payments.tests.factories import event_of
from payments.tests.test_webhook_endpoint import sign
from tests.test_slow_clients import slow_body, slow_headers, slow_reader

pytestmark = pytest.mark.slow


def test_pages_and_webhooks_are_answered_despite_slow_clients(site):
    ends_at = time.monotonic() + 20
    slow = [
        threading.Thread(target=kind, args=(site.base_url, ends_at))
        for kind in (slow_headers, slow_body, slow_reader)
        for _ in range(24)
    ]
    for thread in slow:
        thread.start()
    time.sleep(3)
    waits = []
    while time.monotonic() < ends_at - 5:
        asked = time.monotonic()
        assert requests.get(f"{site.base_url}/browse/", timeout=10).status_code == 200
        body = json.dumps(event_of("customer.created", {"id": "cus_1", "object": "customer"})).encode()
        headers = {"Stripe-Signature": sign(body)}
        answer = requests.post(f"{site.base_url}/api/webhooks/stripe", data=body, headers=headers, timeout=10)
        assert answer.json() == {"status": "received"}
        waits.append(time.monotonic() - asked)
    for thread in slow:
        thread.join()
    assert len(waits) > 5
    assert sorted(waits)[len(waits) // 2] < 2
