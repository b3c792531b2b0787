"""Detach payment methods from customers."""

from sandbox import store
from sandbox.store import Body
from sandbox.webhooks.events import emit


def detach_method(method: Body) -> Body:
    """Detach a method from its customer: it is no longer the default, and it cannot be used again."""
    customer = store.find("customer", method["customer"])
    if customer and customer.get("invoice_settings", {}).get("default_payment_method") == method["id"]:
        customer["invoice_settings"] = customer["invoice_settings"] | {"default_payment_method": None}
        store.save(customer)
        emit("customer.updated", customer, previous={"invoice_settings": {"default_payment_method": method["id"]}})
    previous = {"customer": method["customer"]}
    method |= {"customer": None, "_is_used_up": True}
    store.save(method)
    emit("payment_method.detached", method, previous=previous)
    return method
