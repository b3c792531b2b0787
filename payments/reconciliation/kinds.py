"""The kinds of difference between Stripe's statement and our books, what each means, and its safe repair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class DifferenceKind(StrEnum):
    """Why Stripe's statement and the books differ."""

    MISSING_EVENT = "missing_event"
    MISSING_FEE = "missing_fee"
    FURTHER_FEES = "further_fees"
    DISPUTE_NOT_BOOKED = "dispute_not_booked"
    RESERVE = "reserve"
    PREFUNDING = "prefunding"
    OUTSIDE_CHARGE = "outside_charge"
    INSTANT_PAYOUT_FEE = "instant_payout_fee"
    ADVANCE = "advance"
    STRIPE_FEE = "stripe_fee"
    PLATFORM_PAYOUT = "platform_payout"
    FAILED_PAYOUT = "failed_payout"
    REFUND_FAILED = "refund_failed"
    REFUND_BY_HAND = "refund_by_hand"
    REFUND_NOT_HERE = "refund_not_here"
    TRANSFER_NOT_HERE = "transfer_not_here"
    TRANSFER_BY_HAND = "transfer_by_hand"
    REVERSAL_BY_HAND = "reversal_by_hand"
    PAYMENT_RETURNED = "payment_returned"
    AMOUNT_DIFFERS = "amount_differs"
    CONVERSION_RESIDUE = "conversion_residue"
    NOT_BOOKED = "not_booked"
    NOT_AT_STRIPE = "not_at_stripe"
    CUT_OFF = "cut_off"
    WRONG_MODE = "wrong_mode"
    DOUBLE = "double"
    UNKNOWN_TYPE = "unknown_type"
    REMAINDER = "remainder"


class Repair(StrEnum):
    """What `--fix` does. Each repair repeats a public function with Stripe's present facts and never guesses."""

    NONE = ""
    LOOK_AT_PAYMENT = "look_at_payment"
    LOOK_UP_CHARGE = "look_up_charge"
    FETCH_REFUND = "fetch_refund"
    FETCH_DISPUTE = "fetch_dispute"
    FETCH_TRANSFER = "fetch_transfer"
    BOOK_MOVEMENT = "book_movement"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOfDifference:
    """How a kind is shown, and how it is repaired.

    A routine one is what Stripe does by itself: the daily run books it, and it raises no alert. One that needs no
    action explains a difference that disappears by itself.
    """

    title: str
    meaning: str
    repair: Repair = Repair.NONE
    is_routine: bool = False
    needs_action: bool = True


_Kind = DifferenceKind

KINDS: Final[Mapping[DifferenceKind, KindOfDifference]] = {
    _Kind.MISSING_EVENT: KindOfDifference(
        title="Missing event",
        meaning="Stripe moved money for one of our payments, refunds or payouts, and no event reported it.",
        repair=Repair.LOOK_AT_PAYMENT,
    ),
    _Kind.MISSING_FEE: KindOfDifference(
        title="Missing fee",
        meaning="Stripe charged a fee that the books do not have.",
        repair=Repair.LOOK_UP_CHARGE,
    ),
    _Kind.FURTHER_FEES: KindOfDifference(
        title="Fee with further parts",
        meaning="Stripe's fee has parts, such as tax, of which the books have only some.",
        repair=Repair.BOOK_MOVEMENT,
    ),
    _Kind.DISPUTE_NOT_BOOKED: KindOfDifference(
        title="Dispute as adjustment",
        meaning="Stripe adjusted the balance for a dispute that the books do not have.",
        repair=Repair.FETCH_DISPUTE,
    ),
    _Kind.RESERVE: KindOfDifference(
        title="Reserve",
        meaning="Stripe put money aside, or released it.",
        repair=Repair.BOOK_MOVEMENT,
        is_routine=True,
    ),
    _Kind.PREFUNDING: KindOfDifference(
        title="Prefunding",
        meaning="Money was added to the Stripe balance from the platform's bank account, or returned.",
        repair=Repair.BOOK_MOVEMENT,
        is_routine=True,
    ),
    _Kind.OUTSIDE_CHARGE: KindOfDifference(
        title="Charge outside the site",
        meaning="The Stripe account received, or gave back, a payment that belongs to no order here.",
    ),
    _Kind.INSTANT_PAYOUT_FEE: KindOfDifference(
        title="Instant payout fee",
        meaning="Stripe charged a fee for an instant payout to the platform's bank account.",
        repair=Repair.BOOK_MOVEMENT,
        is_routine=True,
    ),
    _Kind.ADVANCE: KindOfDifference(
        title="Advance or repayment",
        meaning="Stripe advanced money to the platform, or took a repayment.",
        repair=Repair.BOOK_MOVEMENT,
        is_routine=True,
    ),
    _Kind.STRIPE_FEE: KindOfDifference(
        title="Fee of the account",
        meaning="Stripe charged a fee that belongs to no single payment.",
        repair=Repair.BOOK_MOVEMENT,
        is_routine=True,
    ),
    _Kind.PLATFORM_PAYOUT: KindOfDifference(
        title="Payout to the platform's bank",
        meaning="Stripe paid money out to the platform's own bank account.",
        repair=Repair.BOOK_MOVEMENT,
        is_routine=True,
    ),
    _Kind.FAILED_PAYOUT: KindOfDifference(
        title="Failed payout not returned",
        meaning="A payout failed or was cancelled. Stripe has the money again, but the books do not.",
        repair=Repair.BOOK_MOVEMENT,
    ),
    _Kind.REFUND_FAILED: KindOfDifference(
        title="Refund failed after it succeeded",
        meaning="Stripe took the money of a refund back, but in the books the student has it.",
        repair=Repair.FETCH_REFUND,
    ),
    _Kind.REFUND_BY_HAND: KindOfDifference(
        title="Refund made by hand",
        meaning="A refund was made in Stripe's Dashboard and is not recorded here.",
        repair=Repair.FETCH_REFUND,
    ),
    _Kind.REFUND_NOT_HERE: KindOfDifference(
        title="Refund at Stripe but not here",
        meaning="Stripe has a refund with a key of this site, but the site has no such refund: a restored backup?",
        repair=Repair.FETCH_REFUND,
    ),
    _Kind.TRANSFER_NOT_HERE: KindOfDifference(
        title="Transfer at Stripe but not here",
        meaning="Stripe has a transfer with a reference of this site, but the site has no such payout: a restored "
        "backup?",
        repair=Repair.FETCH_TRANSFER,
    ),
    _Kind.TRANSFER_BY_HAND: KindOfDifference(
        title="Transfer made by hand",
        meaning="A transfer was made in Stripe's Dashboard; no payout of this site belongs to it.",
    ),
    _Kind.REVERSAL_BY_HAND: KindOfDifference(
        title="Transfer reversed by hand",
        meaning="A transfer was reversed in Stripe's Dashboard, but the books do not have the money back.",
        repair=Repair.FETCH_TRANSFER,
    ),
    _Kind.PAYMENT_RETURNED: KindOfDifference(
        title="Payment returned by the bank",
        meaning="A bank took back a payment after it had succeeded.",
    ),
    _Kind.AMOUNT_DIFFERS: KindOfDifference(
        title="Amount or currency differs",
        meaning="Stripe and the books have the same transaction with different amounts or currencies.",
    ),
    _Kind.CONVERSION_RESIDUE: KindOfDifference(
        title="Conversion not booked",
        meaning="Stripe converted a payment into another currency, and the books did not follow, or not exactly.",
        repair=Repair.LOOK_UP_CHARGE,
    ),
    _Kind.NOT_BOOKED: KindOfDifference(
        title="Recorded but not in the ledger",
        meaning="Stripe and this site agree, but the ledger has no journal: for a transfer, a sale or a refund.",
        repair=Repair.FETCH_TRANSFER,
    ),
    _Kind.NOT_AT_STRIPE: KindOfDifference(
        title="In the books but not at Stripe",
        meaning="The books have money moved at Stripe, but Stripe's statement has no such transaction.",
    ),
    _Kind.CUT_OFF: KindOfDifference(
        title="Cut-off",
        meaning="Stripe and the books have the same transaction on different sides of the period's limits, or one of "
        "them does not have it yet.",
        needs_action=False,
    ),
    _Kind.WRONG_MODE: KindOfDifference(
        title="Wrong mode or account",
        meaning="The books contain a payment of Stripe's other mode, or of another account.",
    ),
    _Kind.DOUBLE: KindOfDifference(
        title="Double",
        meaning="The same transaction exists twice at Stripe, or twice in the books.",
    ),
    _Kind.UNKNOWN_TYPE: KindOfDifference(
        title="Unknown type",
        meaning="Stripe lists a transaction of a type that this site does not know.",
    ),
    _Kind.REMAINDER: KindOfDifference(
        title="Remainder",
        meaning="Stripe and the books differ by an amount that no other kind explains.",
    ),
}
