"""The customer's balance, which finalized invoices draw on (docs: "Customer credit balance"). Negative is credit."""

from sandbox import clock, identifiers, store
from sandbox.store import Body
from sandbox.webhooks.events import emit


def balance_of(customer: Body | None, currency: str) -> int:
    """The balance for an invoice in a currency: a debt (positive) or a credit (negative), in minor units."""
    if customer is None or customer.get("deleted") or customer["currency"] not in (None, currency):
        return 0
    return int(customer["balance"])


def move_balance(customer_id: str, amount: int, *, currency: str, kind: str, invoice: str | None = None) -> Body | None:
    """Add to a customer's balance; `kind` is Stripe's type of the movement, `applied_to_invoice` say. Returns it.

    None where nothing moves: the amount is zero, or the customer was deleted.
    """
    customer = store.find("customer", customer_id)
    if customer is None or customer.get("deleted") or not amount:
        return None
    previous: Body = {"balance": customer["balance"]}
    customer["balance"] += amount
    if customer["currency"] is None:
        previous["currency"] = None
        customer["currency"] = currency
    store.save(customer)
    movement = store.insert(
        {
            "id": identifiers.new_id("cbtxn_1", 23),
            "object": "customer_balance_transaction",
            "amount": amount,
            "checkout_session": None,
            "created": clock.now(),
            "credit_note": None,
            "currency": currency,
            "customer": customer_id,
            "customer_account": None,
            "description": None,
            "ending_balance": customer["balance"],
            "invoice": invoice,
            "livemode": False,
            "metadata": {},
            "type": kind,
        }
    )
    emit("customer.updated", customer, previous=previous)
    return movement
