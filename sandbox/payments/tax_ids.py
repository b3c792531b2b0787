"""Tax ids of customers: stored and shown on invoices, but never verified with a register."""

from sandbox import clock, identifiers, store
from sandbox.store import Body
from sandbox.webhooks.events import emit

# Kinds that do not begin with a country code.
_NO_COUNTRY = ("eu", "un")


def create_tax_id(customer: Body, *, kind: str, value: str) -> Body:
    """Create a customer's tax id; emits customer.tax_id.created."""
    country = value[:2] if kind == "eu_vat" else kind[:2]
    tax_id = store.insert(
        {
            "id": identifiers.new_id("txi_1", 23),
            "object": "tax_id",
            "country": None if country in _NO_COUNTRY else country.upper(),
            "created": clock.now(),
            "customer": customer["id"],
            "customer_account": None,
            "livemode": False,
            "owner": {"customer": customer["id"], "type": "customer"},
            "type": kind,
            "value": value,
            "verification": {"status": "pending", "verified_address": None, "verified_name": None},
        }
    )
    emit("customer.tax_id.created", tax_id)
    return tax_id
