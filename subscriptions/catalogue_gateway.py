"""Calls to Stripe about its catalogue. Each raises StripeUnreachable or StripeRefused. Never inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from money import Money
from payments.stripe_api import NoSuchObject, client, translated_errors


def put_product(product_id: str, *, name: str, description: str, metadata: Mapping[str, str]) -> str:
    """Update the product with this id, or create it. The id is ours, so a repeat finds what the first call made."""
    params: Any = {"name": name, "description": description, "metadata": dict(metadata), "active": True}
    products = client().v1.products
    try:
        with translated_errors():
            return str(products.update(product_id, params).id)
    except NoSuchObject:
        # Stripe takes an empty text only as the removal of an earlier one.
        given: Any = {name: value for name, value in params.items() if value != ""}
        with translated_errors():
            return str(products.create(given | {"id": product_id}).id)


def find_or_create_price(product_id: str, *, amount: Money, interval: str, key: str) -> str:
    """The price that was made with this key, or a new one; `interval` is empty for what is paid once.

    Searched for first, since Stripe forgets idempotency keys after a day.
    """
    prices = client().v1.prices
    search: Any = {"product": product_id, "limit": 100}
    with translated_errors():
        for price in prices.list(search).auto_paging_iter():
            if _is_the_same(price.to_dict(), amount=amount, interval=interval, key=key):
                return str(price.id)
    params: Any = {
        "product": product_id,
        "currency": amount.currency.lower(),
        "unit_amount": amount.minor,
        "metadata": {"lectern": key},
    }
    if interval:
        params["recurring"] = {"interval": interval}
    with translated_errors():
        return str(prices.create(params, {"idempotency_key": f"lectern-{product_id}-{key}-{amount.minor}"}).id)


def _is_the_same(price: Mapping[str, Any], *, amount: Money, interval: str, key: str) -> bool:
    """After our database was made anew, a key may name another price."""
    found = (price["unit_amount"], price["currency"].upper(), (price.get("recurring") or {}).get("interval", ""))
    return (price.get("metadata") or {}).get("lectern") == key and found == (amount.minor, amount.currency, interval)


def set_price_active(price_id: str, *, is_active: bool) -> None:
    """Offer a price, or archive it: subscriptions at it go on."""
    params: Any = {"active": is_active}
    with translated_errors():
        client().v1.prices.update(price_id, params)
