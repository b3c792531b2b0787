"""A student without a browser: the same requests, cookies and tokens, so that many can act at once."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

SANDBOX_KEY = "sk_test_sandbox00000000000000000"
_TIMEOUT_SECONDS = 60
_AGREED = re.compile(r'name="agreed" value="([0-9a-f]{64})"')
_SESSION_ID = re.compile(r"/c/pay/(cs_\w+)")


def browser_session() -> requests.Session:
    """Connections that do as browsers: what meets a connection that the site has just closed is sent again, once."""
    return _session_that_repeats("GET", "POST")


def stripe_session() -> requests.Session:
    """Connections that do as Stripe: an event is sent again, once, if the site closed the connection."""
    return _session_that_repeats("POST")


def _session_that_repeats(*methods: str) -> requests.Session:
    http = requests.Session()
    http.mount("http://", HTTPAdapter(max_retries=Retry(1, allowed_methods=methods, redirect=False)))
    return http


@dataclass
class Student:
    """One signed-in student of a crowd. Network errors raise requests.RequestException; the caller handles them."""

    base_url: str
    sandbox_url: str
    email: str
    session: str
    lesson: str
    checkout_session: str = ""
    paid_at: float = 0.0
    http: requests.Session = field(default_factory=browser_session)

    def __post_init__(self) -> None:
        self.http.cookies.set("sessionid", self.session)

    def fill_cart(self, *, workshop: str, course: str) -> None:
        """Put the lesson, two places and the course into the cart. Raises requests.HTTPError if the site fails."""
        self.http.get(f"{self.base_url}/cart/", timeout=_TIMEOUT_SECONDS).raise_for_status()
        wanted = (("private_teaching", self.lesson, 1), ("workshops", workshop, 2), ("courses", course, 1))
        for domain, reference, quantity in wanted:
            self._post("/cart/add/", domain=domain, reference=reference, quantity=quantity).raise_for_status()

    def press_pay(self) -> bool:
        """Go to Stripe's page; False if the cart says that something needs attention first."""
        page = self.http.get(f"{self.base_url}/cart/", timeout=_TIMEOUT_SECONDS).text
        agreed = _AGREED.search(page)
        if agreed is None:
            return False
        answer = self._post("/checkout/", agreed=agreed.group(1))
        found = _SESSION_ID.search(answer.headers.get("Location", ""))
        if found is None:
            return False
        self.checkout_session = found.group(1)
        return True

    def pay(self, method: str = "pm_card_visa") -> bool:
        """Pay on Stripe's page, and remember when Stripe reported the payment."""
        answer = requests.post(
            f"{self.sandbox_url}/v1/payment_pages/{self.checkout_session}/confirm",
            data={"payment_method": method},
            auth=(SANDBOX_KEY, ""),
            timeout=_TIMEOUT_SECONDS,
        )
        self.paid_at = time.time()
        return answer.status_code == HTTPStatus.OK

    def _post(self, path: str, **fields: Any) -> requests.Response:
        token = self.http.cookies.get("csrftoken", "")
        return self.http.post(
            f"{self.base_url}{path}",
            data={"csrfmiddlewaretoken": token, **fields},
            headers={"Referer": self.base_url},
            allow_redirects=False,
            timeout=_TIMEOUT_SECONDS,
        )
