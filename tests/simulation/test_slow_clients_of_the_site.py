"""The whole site with three times as many slow clients as it has threads."""

import json
import threading
import time

import pytest
import requests

from demo.accounts import TEACHER
from payments.tests.factories import event_of
from payments.tests.test_webhook_endpoint import sign
from tests.test_slow_clients import read_slowly, slow_body, slow_headers

pytestmark = pytest.mark.slow
SLOW = 24
# The operating system takes about 3 MB of an answer off the server's hands, more than any page of the site has.
FILE = b"All of the scales.\n" * 450_000


@pytest.fixture
def download(site):
    """Return the path of a lesson's file, the longest answer that the site gives, and the cookie of its teacher."""
    with requests.Session() as browser:

        def send(path, files=None, **fields):
            browser.get(f"{site.base_url}/demo/", timeout=10)
            fields["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
            answer = browser.post(f"{site.base_url}{path}", fields, files=files, timeout=60)
            assert answer.status_code == 200, answer.text

        send("/demo/sign-in/", email=TEACHER.email)
        send("/teach/courses/new/", title="A long file", summary="To be read slowly.", language="en")
        [course] = site.query("SELECT id, slug FROM courses_course ORDER BY id DESC LIMIT 1")
        send(f"/teach/courses/{course['id']}/modules/", title="One")
        [module] = site.query("SELECT id FROM courses_module ORDER BY id DESC LIMIT 1")
        send(
            f"/teach/courses/{course['id']}/modules/{module['id']}/lessons/new/file/",
            files={"file": ("scales.txt", FILE)},
            title="Scales",
            minutes=5,
        )
        [lesson] = site.query("SELECT id FROM courses_courselesson ORDER BY id DESC LIMIT 1")
        path = f"/my/courses/{course['slug']}/{lesson['id']}/file/"
        assert browser.get(f"{site.base_url}{path}", timeout=60).content == FILE
        yield {"path": path, "cookie": f"sessionid={browser.cookies['sessionid']}"}


def test_pages_and_webhooks_are_answered_despite_slow_clients(site, download):
    ends_at = time.monotonic() + 20
    read = []
    slow = [
        *(threading.Thread(target=slow_headers, args=(site.base_url, ends_at)) for _ in range(SLOW)),
        *(threading.Thread(target=slow_body, args=(site.base_url, ends_at)) for _ in range(SLOW)),
        *(
            threading.Thread(target=lambda: read.append(read_slowly(site.base_url, ends_at, **download)))
            for _ in range(SLOW)
        ),
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
    # The readers were given the file, and had not come to its end.
    assert [received[:12] for received, _ in read] == [b"HTTP/1.1 200"] * SLOW
    assert [closed for _, closed in read] == [None] * SLOW
    assert len(waits) > 5
    assert sorted(waits)[len(waits) // 2] < 2
