"""Lectern as a world of scenarios that need the sandbox: pages, payments and refunds are real calls and events."""

from django.db.models.functions import Now

from jobs.runner import drain
from money import Money
from payments.checkout import start_checkout
from payments.models import FetchedEvent, Payment, Refund, WebhookEvent
from payments.pricing import price_cart
from payments.sweeps import take_in_missed_events
from payments.tests.factories import cart_with, sample_offer
from tests.money_bugs.lectern import LecternSale, LecternWorld


class WorldAtStripe(LecternWorld):
    """A sale is a page at the sandbox, and nothing is known of its payment before `works` takes in the events."""

    def __init__(self, settings, sandbox):
        super().__init__(settings)
        self.sandbox = sandbox

    def open_sale(self, *prices, teachers="A", currency="GBP", quantity=1):
        teacher = self.teacher(teachers)
        references = [sample_offer(Money.from_major(price, currency), teacher=teacher) for price in prices]
        return SaleAtStripe(self, cart_with(*references, quantity=quantity), references)

    def sell(self, *prices, **terms):
        sale = super().sell(*prices, **terms)
        self.works()
        return sale

    def works(self):
        """Take in Stripe's events, and perform all that waits, delays included."""
        take_in_missed_events()
        for model in (WebhookEvent, FetchedEvent, Refund):
            model.objects.filter(state="waiting").update(run_after=Now())
            drain(model, seconds=10)

    def sends_refunds(self):
        """A worker calls Stripe, delays included; no event is taken in."""
        Refund.objects.filter(state="waiting").update(run_after=Now())
        drain(Refund, seconds=5)

    def received(self):
        """What Stripe has received from all buyers together, in minor units."""
        return sum(intent["amount_received"] for intent in self.sandbox.get("payment_intents", limit=100)["data"])


class SaleAtStripe(LecternSale):
    def __init__(self, world, cart, references):
        self.world = world
        self.cart = cart
        super().__init__(self.begin_checkout(), references)

    def begin_checkout(self):
        """Press pay with what is in the cart now."""
        return start_checkout(user=self.cart.user, cart=self.cart, agreed_digest=price_cart(self.cart).digest)

    def pays(self, *, stripe_fee=None, method="pm_card_visa"):
        return self.world.sandbox.pay(self.payment.stripe_session_id, method)

    def now(self):
        """The sale as it is by now, for its figures."""
        self.payment = Payment.objects.get(pk=self.payment.pk)
        return self

    def refunds_at_stripe(self):
        """The amounts of its refunds at Stripe in minor units."""
        intent = self.now().payment.stripe_payment_intent_id
        return [refund["amount"] for refund in self.world.sandbox.get("refunds", payment_intent=intent)["data"]]
