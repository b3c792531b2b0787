"""Somebody who subscribes at the sandbox, and what Stripe's events and our workers then do."""

from contextlib import contextmanager
from datetime import timedelta

import time_machine
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import UserFactory
from jobs.runner import drain
from payments.models import ChargeLookup, FetchedEvent, WebhookEvent
from payments.webhook.inbox import store_events
from subscriptions.models import FollowUp, Subscription
from subscriptions.starting import start_subscription
from subscriptions.tests.factories import make_plan, make_price

# Ours and those that Stripe makes of one payment.
LONG_AGO = "2000-01-01T00:00Z"


class Subscriber:
    """A person, the sandbox, and the subscription between them."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.user = UserFactory()
        self.passed = timedelta()
        self.client = Client()
        self.client.force_login(self.user)

    def subscribe(self, price=None, *, card="pm_card_visa", tells=True):
        """Subscribe on Stripe's page; returns the row after its events."""
        row = start_subscription(user=self.user, price=price or make_price(make_plan(grants_courses=True)))
        answer = self.sandbox.pay(row.stripe_session_id, card)
        assert answer.ok, answer.text
        if tells:
            self.tell()
        return self.row()

    def row(self):
        return Subscription.objects.select_related("price__plan", "next_price").get(user=self.user, ended_at=None)

    def events(self, *types):
        """The sandbox's events of these types, the oldest first; all if none are named."""
        found, after = [], None
        while True:
            page = self.sandbox.get("events", limit=100, **({"starting_after": after} if after else {}))
            found += page["data"]
            if not page["has_more"]:
                break
            after = found[-1]["id"]
        found.reverse()
        return [event for event in found if not types or event["type"] in types]

    def tell(self, events=None):
        """Deliver events, all that there are unless some are given, and act on them."""
        store_events(events if events is not None else self.events(), source="webhook")
        self.work()

    def work(self):
        for kind in (WebhookEvent, FetchedEvent, ChargeLookup):
            kind.objects.filter(state="waiting").update(run_after=LONG_AGO)
            drain(kind, seconds=20)

    def follow_up(self):
        """Perform the follow-up now, whenever it is due."""
        FollowUp.objects.filter(state="waiting").update(run_after=LONG_AGO)
        drain(FollowUp, seconds=20)

    def use_card(self, number_or_method):
        """Make another card the one that renewals are charged to."""
        customer = self.user.stripe_customer.stripe_customer_id
        http, url = self.sandbox.http, self.sandbox.url
        method = http.post(
            f"{url}/v1/payment_methods/{number_or_method}/attach", data={"customer": customer}, timeout=30
        ).json()["id"]
        row = self.row()
        answer = http.post(
            f"{url}/v1/subscriptions/{row.stripe_subscription_id}", data={"default_payment_method": method}, timeout=30
        )
        assert answer.ok, answer.text

    @contextmanager
    def later(self, **delta):
        """Both clocks move on from where they were moved before: Stripe's and ours."""
        span = timedelta(**delta)
        self.passed += span
        self.sandbox.switch("clock", advance=int(span.total_seconds()))
        with time_machine.travel(timezone.now() + self.passed):
            self.client.force_login(self.user)  # sessions do not last as long
            yield
