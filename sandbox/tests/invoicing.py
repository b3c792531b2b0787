"""Set-up for tests of invoices: a customer, drafts, and events."""

HOUR, DAY = 3600, 24 * 3600


def new_customer(client):
    """A customer with an email address and a country that automatic tax supports."""
    return client.v1.customers.create({"email": "ada@example.org", "name": "Ada", "address": {"country": "DE"}})


def new_brush(client):
    """A price of $12.00."""
    product = client.v1.products.create({"name": "Brush"})
    return client.v1.prices.create({"currency": "usd", "unit_amount": 1200, "product": product.id})


def draft(client, customer, /, *amounts, **changes):
    """A draft with a line for each amount, the last one first."""
    made = client.v1.invoices.create({"customer": customer.id, "currency": "usd"} | changes)
    for amount in amounts:
        client.v1.invoice_items.create({"customer": customer.id, "invoice": made.id, "amount": amount})
    return client.v1.invoices.retrieve(made.id, {"expand": ["discounts", "lines.data.discounts"]})


def inked(client, customer, /, amount=2000, **changes):
    """A draft for ink."""
    made = client.v1.invoices.create({"customer": customer.id, "currency": "usd"} | changes)
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": made.id, "amount": amount, "description": "Ink"}
    )
    return client.v1.invoices.retrieve(made.id)


def opened(client, customer, /, **changes):
    """An open invoice for ink."""
    return client.v1.invoices.finalize_invoice(inked(client, customer, **changes).id)


def with_card(client, customer, alias="pm_card_visa"):
    """Attach a card and make it the default for the customer's invoices."""
    method = client.v1.payment_methods.attach(alias, {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    return method


def coupon(client, **terms):
    return client.v1.coupons.create(terms)


def types_since(sandbox, first):
    """The types of the events, from the first event of this type on."""
    found = sandbox.event_types()
    return found[found.index(first) :]


def last_event(client, kind):
    return client.v1.events.list({"type": kind, "limit": 1}).data[0].data
