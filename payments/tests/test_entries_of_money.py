"""The exact entries of each rule, account by account."""

import pytest

from ledger.entries import AccountKind
from money import Money
from payments.disputes import entries as of_disputes
from payments.disputes.entries import Part
from payments.earnings import entries as of_earnings
from payments.earnings.entries import Portion, RefundedPart
from payments.payouts import entries as of_payouts

K = AccountKind
NOTHING = Money(0, "GBP")


def pounds(minor):
    return Money(minor, "GBP")


def written(entries):
    """Entries as tuples of kind, teacher, currency and minor units, without those of nothing."""
    return sorted(
        (entry.kind.value, entry.teacher_id or 0, entry.amount.currency, entry.amount.minor)
        for entry in entries
        if entry.amount.minor
    )


def expected(*entries):
    return sorted((kind.value, teacher, currency, minor) for kind, teacher, minor, currency in entries)


def of(kind, minor, teacher=0, currency="GBP"):
    return kind, teacher, minor, currency


def portion(teacher, fee, share, tax=0):
    return Portion(teacher_id=teacher, fee=pounds(fee), share=pounds(share), tax=pounds(tax) if tax else None)


def disputed(teacher, fee, share, *, tax=0, is_delivered=True):
    return Part(teacher_id=teacher, fee=pounds(fee), share=pounds(share), tax=pounds(tax), is_delivered=is_delivered)


DELIVERED = RefundedPart(portion=portion(7, 10, 90))
OWED = RefundedPart(portion=portion(8, 3, 27), is_delivered=False)

CASES = {
    "a sale of three lines": (
        lambda: of_earnings.entries_of_sale([portion(7, 10, 90), portion(8, 2, 18)], [pounds(30), pounds(5)]),
        [
            of(K.STRIPE_CLEARING, 100), of(K.TEACHER_PENDING, -90, 7), of(K.PLATFORM_FEES, -10),
            of(K.STRIPE_CLEARING, 20), of(K.TEACHER_PENDING, -18, 8), of(K.PLATFORM_FEES, -2),
            of(K.STRIPE_CLEARING, 30), of(K.REFUNDS_DUE, -30), of(K.STRIPE_CLEARING, 5), of(K.REFUNDS_DUE, -5),
        ],
    ),
    "a sale with tax that the platform owes": (
        lambda: of_earnings.entries_of_sale([portion(7, 10, 90, tax=20)]),
        [
            of(K.STRIPE_CLEARING, 120), of(K.TEACHER_PENDING, -90, 7), of(K.PLATFORM_FEES, -10), of(K.TAX_PAYABLE, -20),
        ],
    ),
    "a sale without lines": (lambda: of_earnings.entries_of_sale([]), []),
    "a second payment": (
        lambda: of_earnings.entries_of_second_payment(pounds(100)), [of(K.STRIPE_CLEARING, 100), of(K.REFUNDS_DUE, -100)]
    ),
    "a maturity": (
        lambda: of_earnings.entries_of_maturity(pounds(90), 7), [of(K.TEACHER_PENDING, 90, 7), of(K.TEACHER_AVAILABLE, -90, 7)]
    ),
    "a hold": (
        lambda: of_earnings.entries_of_hold(pounds(90), 7, from_account=K.TEACHER_AVAILABLE),
        [of(K.TEACHER_AVAILABLE, 90, 7), of(K.TEACHER_HELD, -90, 7)],
    ),
    "a release": (
        lambda: of_earnings.entries_of_release(pounds(90), 7, to_account=K.TEACHER_PENDING),
        [of(K.TEACHER_HELD, 90, 7), of(K.TEACHER_PENDING, -90, 7)],
    ),
    "a refund": (
        lambda: of_earnings.entries_of_refund([DELIVERED, OWED], pounds(4), rest_account=K.REFUNDS_TO_ALLOCATE),
        [
            of(K.REFUNDS_TO_ALLOCATE, 4), of(K.STRIPE_CLEARING, -4), of(K.STRIPE_CLEARING, -100),
            of(K.TEACHER_HELD, 90, 7), of(K.PLATFORM_FEES, 10), of(K.STRIPE_CLEARING, -30), of(K.REFUNDS_DUE, 30),
        ],
    ),
    "a refund with tax that the platform owed": (
        lambda: of_earnings.entries_of_refund(
            [RefundedPart(portion=portion(7, 10, 90, tax=20))], pounds(0), rest_account=K.REFUNDS_TO_ALLOCATE
        ),
        [of(K.STRIPE_CLEARING, -120), of(K.TEACHER_HELD, 90, 7), of(K.PLATFORM_FEES, 10), of(K.TAX_PAYABLE, 20)],
    ),
    "an allocation after the success": (
        lambda: of_earnings.entries_of_late_allocation(DELIVERED, share_account=K.TEACHER_AVAILABLE),
        [of(K.REFUNDS_TO_ALLOCATE, -100), of(K.TEACHER_AVAILABLE, 90, 7), of(K.PLATFORM_FEES, 10)],
    ),
    "a refund that failed after it succeeded": (
        lambda: of_earnings.entries_of_failed_refund(
            [(DELIVERED, K.TEACHER_PENDING), (OWED, K.TEACHER_PENDING)], pounds(4), rest_account=K.REFUNDS_DUE
        ),
        [
            of(K.STRIPE_CLEARING, 4), of(K.REFUNDS_DUE, -4), of(K.STRIPE_CLEARING, 100), of(K.TEACHER_PENDING, -90, 7),
            of(K.PLATFORM_FEES, -10), of(K.STRIPE_CLEARING, 30), of(K.REFUNDS_DUE, -30),
        ],
    ),
    "a fee of Stripe's": (
        lambda: of_earnings.entries_of_stripe_fee(pounds(1)), [of(K.STRIPE_FEES, 1), of(K.STRIPE_CLEARING, -1)]
    ),
    "a fee that Stripe gives back": (
        lambda: of_earnings.entries_of_stripe_fee(pounds(-1)), [of(K.STRIPE_FEES, -1), of(K.STRIPE_CLEARING, 1)]
    ),
    "a conversion": (
        lambda: of_earnings.entries_of_conversion(Money(1000, "JPY"), pounds(530)),
        [
            of(K.STRIPE_CLEARING, -1000, currency="JPY"), of(K.CONVERSION, 1000, currency="JPY"),
            of(K.STRIPE_CLEARING, 530), of(K.CONVERSION, -530),
        ],
    ),
    "a refund of a conversion": (
        lambda: of_earnings.entries_of_converted_refund(Money(1000, "JPY"), pounds(540)),
        [
            of(K.STRIPE_CLEARING, 1000, currency="JPY"), of(K.CONVERSION, -1000, currency="JPY"),
            of(K.STRIPE_CLEARING, -540), of(K.CONVERSION, 540),
        ],
    ),
    "a refund that failed while it was pending": (
        lambda: of_earnings.entries_of_round_trip(pounds(-540), pounds(535)),
        [
            of(K.STRIPE_CLEARING, -540), of(K.CONVERSION, 540), of(K.STRIPE_CLEARING, 535), of(K.CONVERSION, -535),
        ],
    ),
    "a withdrawal for a dispute": (
        lambda: of_disputes.entries_of_movement(amount=pounds(-100), fee=pounds(15), claim=pounds(100)),
        [
            of(K.FUNDS_IN_DISPUTE, 100), of(K.STRIPE_CLEARING, -100), of(K.DISPUTE_FEES, 15),
            of(K.STRIPE_CLEARING, -15),
        ],
    ),
    "a withdrawal in another currency": (
        lambda: of_disputes.entries_of_movement(amount=pounds(-53), fee=pounds(15), claim=Money(1000, "JPY")),
        [
            of(K.FUNDS_IN_DISPUTE, 1000, currency="JPY"), of(K.CONVERSION, -1000, currency="JPY"),
            of(K.STRIPE_CLEARING, -53), of(K.CONVERSION, 53), of(K.DISPUTE_FEES, 15), of(K.STRIPE_CLEARING, -15),
        ],
    ),
    "a hold for a dispute": (
        lambda: of_disputes.entries_of_hold(
            [
                (disputed(7, 10, 90), K.TEACHER_PENDING),
                (disputed(8, 1, -9), K.TEACHER_AVAILABLE),
                (disputed(9, 1, 9, is_delivered=False), K.TEACHER_PENDING),
            ]
        ),
        [
            of(K.TEACHER_PENDING, 90, 7), of(K.TEACHER_HELD, -90, 7),
            of(K.TEACHER_AVAILABLE, -9, 8), of(K.TEACHER_HELD, 9, 8),
        ],
    ),
    "a lost dispute": (
        lambda: of_disputes.entries_of_loss(
            [
                disputed(7, 10, 90, tax=20),
                disputed(8, 3, 27, tax=6, is_delivered=False),
            ],
            owed=pounds(5),
            excess=pounds(2),
        ),
        [
            of(K.REFUNDS_DUE, 5), of(K.PLATFORM_LOSSES, 2), of(K.FUNDS_IN_DISPUTE, -7), of(K.FUNDS_IN_DISPUTE, -120),
            of(K.TEACHER_HELD, 90, 7), of(K.PLATFORM_FEES, 10), of(K.TAX_PAYABLE, 20), of(K.FUNDS_IN_DISPUTE, -36),
            of(K.REFUNDS_DUE, 36),
        ],
    ),
    "a payout that is requested": (
        lambda: of_payouts.entries_of_request(pounds(90), teacher_id=7),
        [of(K.TEACHER_AVAILABLE, 90, 7), of(K.TEACHER_IN_PAYOUT, -90, 7)],
    ),
    "a payout that is given back": (
        lambda: of_payouts.entries_of_giving_back(pounds(90), teacher_id=7),
        [of(K.TEACHER_IN_PAYOUT, 90, 7), of(K.TEACHER_AVAILABLE, -90, 7)],
    ),
    "a payout that is paid": (
        lambda: of_payouts.entries_of_payment(pounds(90), teacher_id=7, source=K.BANK, cost=pounds(2)),
        [of(K.TEACHER_IN_PAYOUT, 90, 7), of(K.PAYOUT_FEES, 2), of(K.BANK, -92)],
    ),
    "a payout that comes back whole": (
        lambda: of_payouts.entries_of_return(pounds(90), teacher_id=7, into=K.BANK, arrived=pounds(90)),
        [of(K.BANK, 90), of(K.TEACHER_AVAILABLE, -90, 7)],
    ),
    "a payout of which less arrives": (
        lambda: of_payouts.entries_of_return(pounds(90), teacher_id=7, into=K.BANK, arrived=pounds(89)),
        [of(K.BANK, 89), of(K.PLATFORM_LOSSES, 1), of(K.TEACHER_AVAILABLE, -90, 7)],
    ),
    "a payout of which more arrives": (
        lambda: of_payouts.entries_of_return(pounds(90), teacher_id=7, into=K.BANK, arrived=pounds(91)),
        [of(K.BANK, 91), of(K.PLATFORM_LOSSES, -1), of(K.TEACHER_AVAILABLE, -90, 7)],
    ),
    "a payout that comes back in another currency": (
        lambda: of_payouts.entries_of_return(Money(1000, "JPY"), teacher_id=7, into=K.STRIPE_CLEARING, arrived=pounds(53)),
        [
            of(K.STRIPE_CLEARING, 53), of(K.CONVERSION, -53), of(K.CONVERSION, 1000, currency="JPY"),
            of(K.TEACHER_AVAILABLE, -1000, 7, "JPY"),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_entries_are_exactly_these(case):
    book, wanted = CASES[case]
    assert written(book()) == expected(*wanted)
