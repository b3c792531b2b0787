"""The bank's checks of the address and the security code given with a card (docs: "Testing", "Fraud prevention")."""

from collections.abc import Mapping
from typing import Any

from sandbox.payments.published_cards import PASS, PublishedCard
from sandbox.store import Body


def checks_of(card: PublishedCard, billing: Mapping[str, Any] | None, *, is_cvc_given: bool) -> Body:
    """The checks of a new card; only what was given is checked.

    `billing` is None for a card named by its alias: no address was given, so it shows the results the alias stands for.
    """
    address = (billing or {}).get("address") or {}

    def checked(part: str, outcome: str) -> str | None:
        is_shown = outcome != PASS if billing is None else bool(address.get(part))
        return outcome if is_shown else None

    return {
        "address_line1_check": checked("line1", card.line1_check),
        "address_postal_code_check": checked("postal_code", card.postal_code_check),
        "cvc_check": card.cvc_check if is_cvc_given else None,
    }
