"""Set-up for tests of subscriptions: a test clock, customers with cards, prices, and advancing the clock."""

import stripe

DAY = 24 * 3600
HOUR = 3600
# 15 January 2027, 12:00 UTC.
START = 1800014400
LATE = ("invoice_payment.paid", "charge.updated", "balance.available")
FEBRUARY, MARCH, APRIL = START + 31 * DAY, START + 59 * DAY, START + 90 * DAY


class Shop:
    """A seller with a test clock."""

    def __init__(self, sandbox, client):
        self.sandbox, self.client, self.v1 = sandbox, client, client.v1
        self.clock = self.v1.test_helpers.test_clocks.create({"frozen_time": START})
        self.product = self.v1.products.create({"name": "Studio"})

    def customer(self, card="pm_card_visa", **fields):
        """A customer of the clock, with a default card unless that is None."""
        customer = self.v1.customers.create({"email": "ada@example.org", "test_clock": self.clock.id, **fields})
        if card:
            self.give_card(customer, card)
        return customer

    def give_card(self, customer, card):
        """Attach a card and make it the default."""
        method = self.v1.payment_methods.attach(card, {"customer": customer.id})
        self.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
        return method

    def price(self, amount=2000, interval="month", **fields):
        recurring = {"interval": interval, **fields.pop("recurring", {})}
        return self.v1.prices.create(
            {
                "product": self.product.id,
                "currency": "usd",
                "unit_amount": amount,
                "recurring": recurring,
                **fields,
            }
        )

    def subscribe(self, customer, price=None, **fields):
        items = [{"price": (price or self.price()).id}]
        return self.v1.subscriptions.create({"customer": customer.id, "items": items, **fields})

    def advance_to(self, moment):
        """Advance the clock and wait until everything due has run."""
        self.v1.test_helpers.test_clocks.advance(self.clock.id, {"frozen_time": moment})
        self.sandbox.drain()
        assert self.v1.test_helpers.test_clocks.retrieve(self.clock.id).status == "ready"

    def subscription(self, subscription, **options):
        return self.v1.subscriptions.retrieve(subscription.id, options)

    def latest_invoice(self, subscription, *expand):
        invoice = self.subscription(subscription).latest_invoice
        return self.v1.invoices.retrieve(invoice, {"expand": list(expand)})

    def intent_of(self, subscription):
        """The payment intent of the latest invoice."""
        payment = self.latest_invoice(subscription, "payments").payments.data[0].payment
        return self.v1.payment_intents.retrieve(payment.payment_intent)

    def events(self):
        """All events, oldest first, without those that are emitted seconds later."""
        found: list[stripe.Event] = list(self.v1.events.list({"limit": 100}).auto_paging_iter())
        return [event for event in found[::-1] if event.type not in LATE]

    def events_since(self, count):
        """The types of the events after the first `count`."""
        return [event.type for event in self.events()[count:]]

    def count(self):
        return len(self.events())

    def last(self, event_type):
        """The newest event of a type."""
        return next(event for event in reversed(self.events()) if event.type == event_type)


def previous(event):
    """The event's previous_attributes as a dict."""
    return event.to_dict()["data"].get("previous_attributes")
