"""At which figures a movement in another currency is the whole dispute, and at which it is what it converts to."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from money import Money
from payments.disputes.claims import claim_of_movement, sums_of
from payments.disputes.stripe_objects import StripeDisputeMovement


def moved(minor, rate):
    return StripeDisputeMovement(
        id="txn_1",
        amount=Money(minor, "GBP"),
        fee=Money(1500, "GBP"),
        exchange_rate=None if rate is None else Decimal(rate),
        happened_at=datetime(2026, 11, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("pence", "rate", "disputed", "taken", "claim"),
    [
        # Two yen for a penny: rounding separates at most three yen from the whole.
        (-100, "0.005", 203, 0, 203),
        (-100, "0.005", 204, 0, 200),
        (-100, "0.005", 197, 0, 197),
        (-100, "0.005", 196, 0, 200),
        # What comes back is compared with what was taken, not with what is disputed.
        (100, "0.005", 1000, 203, -203),
        (100, "0.005", 1000, 204, -200),
        # Two and a half yen for a penny: halves are rounded up.
        (-1, "0.004", 1000, 0, 3),
        (-1, None, 1000, 0, 1000),
        (1, None, 1000, 700, -700),
        # Only a fee.
        (0, None, 1000, 50, 0),
        (0, "0.005", 1000, 50, 0),
    ],
)
def test_a_movement_in_pence_for_a_dispute_in_yen(pence, rate, disputed, taken, claim):
    assert claim_of_movement(moved(pence, rate), disputed=Money(disputed, "JPY"), taken=taken) == claim


def test_the_smallest_movements_are_summed_too():
    assert sums_of([1, 0, -1, 2, -3]) == (3, 4)
