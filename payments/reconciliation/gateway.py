"""Calls to Stripe about the balance. Never inside a transaction. All raise StripeUnreachable or StripeRefused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from payments.stripe_api import client, translated_errors
from payments.stripe_objects import as_text

_PER_PAGE = 100


def list_balance_transaction_pages(
    *, created_from: datetime | None = None, older_than: str = "", payout: str = ""
) -> Iterator[list[Mapping[str, Any]]]:
    """Balance transactions with their sources, page by page, newest first; all if no limit is given.

    `older_than` is the id to continue after, `payout` that of a payout to the platform's bank, of which only its parts
    are listed.
    """
    params: Any = {"limit": _PER_PAGE, "expand": ["data.source"]}
    if created_from:
        params["created"] = {"gte": int(created_from.timestamp())}
    if older_than:
        params["starting_after"] = older_than
    if payout:
        params["payout"] = payout
    with translated_errors():
        page = client().v1.balance_transactions.list(params)
        while page.data:
            yield [transaction.to_dict(for_json=True) for transaction in page.data]
            if not page.has_more:
                return
            page = page.next_page()


def retrieve_balance() -> Mapping[str, int]:
    """The account's balance by currency in minor units: pending and available together."""
    with translated_errors():
        balance = client().v1.balance.retrieve().to_dict()
    totals: dict[str, int] = {}
    for part in (*balance["available"], *balance["pending"]):
        currency = as_text(part["currency"]).upper()
        totals[currency] = totals.get(currency, 0) + int(part["amount"])
    return totals
