"""Ask Stripe what a payout to the platform's bank is made of."""

from __future__ import annotations

from collections.abc import Iterator

from payments.models import StripeMovement
from payments.reconciliation import gateway
from payments.reconciliation.composition import Composition, compose
from payments.reconciliation.statement import Movement, Topic, key_of, read_movement


def composition_of_payout(payout_id: str) -> Composition | None:
    """The parts of a payout on our copy of the statement; None if it is not there.

    Only a payout's own transaction names it, so its items are asked for by payout. Outside transactions; raises
    StripeUnreachable or StripeRefused.
    """
    own = StripeMovement.objects.filter(match_key=key_of(Topic.PLATFORM_PAYOUT, payout_id), type="payout").first()
    if own is None:
        return None
    return compose(-own.amount_minor, own.currency, _items_of(payout_id))


def _items_of(payout_id: str) -> Iterator[Movement]:
    for page in gateway.list_balance_transaction_pages(payout=payout_id):
        for data in page:
            movement = read_movement(data)
            if movement.source != payout_id:
                yield movement
