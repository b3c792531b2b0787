"""The plan of a refund: figures from known refund bugs elsewhere, and sums that are exact in any sequence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from money import Money, split_by_rate
from money.shares import GivenBack, part_to_give_back, tax_within
from payments.models import Order, OrderLine
from payments.refunds.plan import (
    AmountDisputed,
    InvalidRefundPart,
    LinePart,
    OfLines,
    OverAllLines,
    RefundExceedsRemaining,
    WholeOrder,
    plan_refund,
    remaining_of,
    total_of,
)


def lines_of(*amounts, quantity=1, currency="GBP", rate=1000, tax_bps=0):
    """Order lines as checkout freezes them, at 10 % commission; nothing is stored."""
    order = Order(currency=currency)
    lines = []
    for pk, minor in enumerate(amounts, start=1):
        split = split_by_rate(Money(minor, currency), rate)
        lines.append(
            OrderLine(
                pk=pk,
                order=order,
                title=f"Line {pk}",
                quantity=quantity,
                amount_minor=minor,
                tax_minor=tax_within(Money(minor, currency), tax_bps).minor,
                platform_fee_minor=split.fee.minor,
                teacher_share_minor=split.share.minor,
            )
        )
    return lines


def count(parts, *, times=1):
    """Count as the database's triggers do when a refund is written, or, with times=-1, when it fails."""
    for part in parts:
        line = part.line
        line.refunded_minor += times * part.amount.minor
        line.refunded_fee_minor += times * part.fee.minor
        line.refunded_share_minor += times * part.share.minor
        line.refunded_tax_minor += times * part.tax.minor
        line.refunded_quantity += times * part.quantity
    return parts


def give_back(lines, wanted):
    return count(plan_refund(lines, wanted))


def of_line(line, minor, **changes):
    return OfLines([LinePart(line_id=line.pk, amount=Money(minor, line.order.currency), **changes)])


def left_of(line):
    return (
        line.platform_fee_minor - line.refunded_fee_minor,
        line.teacher_share_minor - line.refunded_share_minor,
    )


# Id of the known bug, the line's amount, the refunds one after another, the fee and share of each, and
# the fee and share that are left.
SEQUENCES = [
    ("RF-01", 10000, [2500], [(250, 2250)], (750, 6750)),
    ("RF-02", 4000, [4000], [(400, 3600)], (0, 0)),
    ("RF-05", 10000, [10000], [(1000, 9000)], (0, 0)),
    ("RF-06", 6000, [6000], [(600, 5400)], (0, 0)),
    ("RF-10", 5000, [5000], [(500, 4500)], (0, 0)),
    ("RF-11", 10000, [6000, 4000], [(600, 5400), (400, 3600)], (0, 0)),
    ("RF-12", 3000, [1000, 1000], [(100, 900), (100, 900)], (100, 900)),
    ("RF-13", 10000, [2000], [(200, 1800)], (800, 7200)),
    ("RF-14", 4216, [1000, 3175], [(100, 900), (318, 2857)], (4, 37)),
    ("RF-16", 10000, [3000], [(300, 2700)], (700, 6300)),
    ("RF-17", 8000, [8000], [(800, 7200)], (0, 0)),
    ("PR-01", 1005, [335, 335, 335], [(34, 301), (33, 302), (34, 301)], (0, 0)),
    ("PR-02", 17925, [17925], [(1793, 16132)], (0, 0)),
    ("PR-05", 645, [645], [(65, 580)], (0, 0)),
    ("PR-07", 14505, [14505], [(1451, 13054)], (0, 0)),
    ("PR-08", 2000, [238], [(24, 214)], (176, 1586)),
    ("PR-09", 20000, [10000], [(1000, 9000)], (1000, 9000)),
    ("PR-10", 5013, [5013], [(501, 4512)], (0, 0)),
    ("DV-04", 7000, [3500], [(350, 3150)], (350, 3150)),
]


@pytest.mark.parametrize(("known_as", "amount", "refunds", "given_back", "left"), SEQUENCES)
def test_the_figures_of_known_bugs_come_out_right(known_as, amount, refunds, given_back, left):
    (line,) = lines_of(amount)
    parts = [give_back([line], of_line(line, minor))[0] for minor in refunds]
    assert [(part.fee.minor, part.share.minor) for part in parts] == given_back
    assert left_of(line) == left


@pytest.mark.parametrize(
    ("known_as", "currency", "amount", "refund", "given_back"),
    [
        ("CU-02", "INR", 9863300, 9863300, (986330, 8876970)),
        ("CU-03", "BHD", 35200, 35200, (3520, 31680)),
        ("CU-04", "JPY", 80, 80, (8, 72)),
        ("CU-05", "JPY", 60000, 500, (50, 450)),
        ("CU-07", "GBP", 25075, 25075, (2508, 22567)),
    ],
)
def test_amounts_are_minor_units_of_their_own_currency(known_as, currency, amount, refund, given_back):
    (line,) = lines_of(amount, currency=currency)
    (part,) = plan_refund([line], of_line(line, refund))
    assert (part.fee.minor, part.share.minor) == given_back


def test_rf03_when_one_of_two_equal_refunds_fails_the_other_stands():
    (line,) = lines_of(4000)
    first, _ = give_back([line], of_line(line, 1000)), give_back([line], of_line(line, 1000))
    count(first, times=-1)
    assert (line.refunded_fee_minor, line.refunded_share_minor) == (100, 900)
    assert left_of(line) == (300, 2700)
    assert line.refundable == Money(3000, "GBP")


def test_rf04_a_free_line_is_left_alone_and_a_failed_refund_uses_up_nothing():
    free, paid = lines_of(0, 3000)
    count(give_back([free, paid], of_line(paid, 3000)), times=-1)
    (part,) = plan_refund([free, paid], WholeOrder())
    assert (part.line, part.fee.minor, part.share.minor) == (paid, 300, 2700)


def test_rf08_refunding_one_line_leaves_the_other():
    kept, removed = lines_of(5000, 2000)
    (part,) = give_back([kept, removed], OfLines([LinePart(line_id=removed.pk)]))
    assert (part.amount.minor, part.fee.minor, part.share.minor) == (2000, 200, 1800)
    assert (left_of(kept), left_of(removed)) == ((500, 4500), (0, 0))


def test_rf12_and_rf14_a_refund_that_exceeds_the_rest_is_refused_with_its_own_error():
    (line,) = lines_of(3000)
    give_back([line], of_line(line, 2000))
    with pytest.raises(RefundExceedsRemaining, match=r"£15\.00 is more than the £10\.00"):
        plan_refund([line], of_line(line, 1500))
    (line,) = lines_of(4216)
    give_back([line], of_line(line, 1000))
    give_back([line], of_line(line, 3175))
    assert line.refundable == Money(41, "GBP")


def test_rf15_an_amount_is_spread_over_the_lines_in_proportion():
    lines = lines_of(5000, 2000, 3000)
    parts = give_back(lines, OverAllLines(Money(3000, "GBP")))
    assert [part.amount.minor for part in parts] == [1500, 600, 900]
    assert [(part.fee.minor, part.share.minor) for part in parts] == [(150, 1350), (60, 540), (90, 810)]
    assert [left_of(line)[1] for line in lines] == [3150, 1260, 1890]


def test_rf18_every_part_is_positive_and_in_the_payments_currency():
    (line,) = lines_of(6000)
    for minor in (-1000, 0):
        with pytest.raises(InvalidRefundPart):
            plan_refund([line], of_line(line, minor))
        with pytest.raises(InvalidRefundPart):
            plan_refund([line], OverAllLines(Money(minor, "GBP")))
    for wanted in (
        OfLines([LinePart(line_id=line.pk, amount=Money(1000, "EUR"))]),
        OverAllLines(Money(1000, "EUR")),
        OfLines([]),
        OfLines([LinePart(line_id=line.pk), LinePart(line_id=line.pk)]),
        OfLines([LinePart(line_id=999)]),
        OfLines([LinePart(line_id=line.pk, quantity=0)]),
        OfLines([LinePart(line_id=line.pk, quantity=-1)]),
    ):
        with pytest.raises(InvalidRefundPart):
            plan_refund([line], wanted)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (OfLines([]), r"^Name lines of this order, each once\.$"),
        (OfLines([LinePart(line_id=1, quantity=0)]), r"^A refund needs at least one place, or an amount\.$"),
        (OfLines([LinePart(line_id=1, amount=Money(0, "GBP"))]), r"^The amount of a refund must be more than zero\.$"),
        (OverAllLines(Money(5, "EUR")), r"^The payment was in GBP, and so is its refund\.$"),
    ],
)
def test_a_refusal_says_what_is_wrong(wanted, message):
    with pytest.raises(InvalidRefundPart, match=message):
        plan_refund(lines_of(6000), wanted)


def test_an_amount_returns_no_places_and_places_may_be_kept():
    (line,) = lines_of(3000, quantity=3)
    (by_amount,) = plan_refund([line], of_line(line, 500))
    (kept,) = plan_refund([line], OfLines([LinePart(line_id=line.pk, quantity=1, keeps_places=True)]))
    (returned,) = plan_refund([line], OfLines([LinePart(line_id=line.pk, quantity=1)]))
    assert [(part.amount.minor, part.quantity) for part in (by_amount, kept, returned)] == [
        (500, 0),
        (1000, 0),
        (1000, 1),
    ]


@pytest.mark.parametrize(
    ("left", "words"), [(0, "nothing of it can be refunded."), (500, "only £5.00 of it can be refunded.")]
)
def test_a_refusal_names_the_dispute_and_what_it_leaves(left, words):
    refusal = AmountDisputed(disputed=Money(6000, "GBP"), remaining=Money(left, "GBP"))
    assert str(refusal) == f"The cardholder disputes £60.00 of this payment with their bank: {words}"


def test_a_refund_of_nothing_says_that_nothing_remains():
    with pytest.raises(RefundExceedsRemaining, match=r"^A refund is more than the nothing that remains\.$"):
        plan_refund(lines_of(0), WholeOrder())


def test_pr03_two_lines_refunded_whole_are_exactly_the_order():
    lines = lines_of(210, 210, tax_bps=2400)
    parts = give_back(lines, WholeOrder())
    assert [(part.amount.minor, part.fee.minor, part.share.minor) for part in parts] == [(210, 21, 189)] * 2
    assert remaining_of(lines) == Money(0, "GBP")
    with pytest.raises(RefundExceedsRemaining):
        plan_refund(lines, WholeOrder())


def test_pr04_goodwill_over_two_lines_is_rounded_once():
    parts = plan_refund(lines_of(100, 100), OverAllLines(Money(103, "GBP")))
    assert [(part.amount.minor, part.fee.minor, part.share.minor) for part in parts] == [(52, 5, 47), (51, 5, 46)]


def test_pr06_places_refunded_one_by_one_are_exactly_the_line():
    (line,) = lines_of(1000, quantity=3)
    parts = [give_back([line], OfLines([LinePart(line_id=line.pk, quantity=1)]))[0] for _ in range(3)]
    assert [(part.amount.minor, part.fee.minor, part.share.minor) for part in parts] == [
        (333, 33, 300),
        (333, 34, 299),
        (334, 33, 301),
    ]
    with pytest.raises(RefundExceedsRemaining, match="1 of Line 1 is more than the 0"):
        plan_refund([line], OfLines([LinePart(line_id=line.pk, quantity=1)]))


@pytest.mark.parametrize(
    ("currency", "amount", "places"), [("KWD", 10000, [3330, 3330, 3340]), ("JPY", 100, [33, 33, 34])]
)
def test_places_cost_what_stripe_can_give_back_in_their_currency(currency, amount, places):
    (line,) = lines_of(amount, quantity=3, currency=currency)
    parts = [give_back([line], OfLines([LinePart(line_id=line.pk, quantity=1)]))[0] for _ in range(3)]
    assert [part.amount.minor for part in parts] == places


def test_places_after_an_amount_given_back_in_goodwill_cost_what_is_left_at_most():
    (line,) = lines_of(1000, quantity=3)
    give_back([line], OverAllLines(Money(200, "GBP")))
    parts = [give_back([line], OfLines([LinePart(line_id=line.pk, quantity=1)]))[0] for _ in range(3)]
    assert [part.amount.minor for part in parts] == [333, 333, 134]
    assert left_of(line) == (0, 0)


def test_a_place_is_returned_for_less_if_the_policy_says_so():
    (line,) = lines_of(3000, quantity=3)
    (part,) = give_back([line], of_line(line, 500, quantity=1))
    assert (part.amount.minor, part.quantity) == (500, 1)
    (rest,) = give_back([line], WholeOrder())
    assert (rest.amount.minor, rest.quantity) == (2500, 2)


CURRENCIES = st.sampled_from(["GBP", "JPY", "KWD"])
AMOUNTS = st.integers(min_value=1, max_value=10**7)


@given(st.data(), CURRENCIES, AMOUNTS, st.integers(0, 10_000), st.integers(0, 2_500))
def test_any_sequence_of_refunds_and_failures_adds_up_exactly(data, currency, amount, rate, tax_bps):
    (line,) = lines_of(amount, currency=currency, rate=rate, tax_bps=tax_bps)
    written = []
    for _ in range(data.draw(st.integers(0, 12))):
        if written and data.draw(st.booleans()):
            count(written.pop(data.draw(st.integers(0, len(written) - 1))), times=-1)
        elif line.refundable.minor:
            minor = data.draw(st.integers(1, line.refundable.minor))
            written.append(give_back([line], of_line(line, minor)))
        for part in (part for parts in written for part in parts):
            assert part.fee.minor >= 0
            assert part.share.minor >= 0
            assert part.fee + part.share == part.amount
            assert 0 <= part.tax.minor <= part.amount.minor
        assert 0 <= line.refunded_fee_minor <= line.platform_fee_minor
        assert 0 <= line.refunded_share_minor <= line.teacher_share_minor
        assert 0 <= line.refunded_tax_minor <= line.tax_minor
        assert line.amount_minor - line.refunded_minor >= line.tax_minor - line.refunded_tax_minor
    if line.refundable.minor:
        give_back([line], WholeOrder())
    assert left_of(line) == (0, 0)
    assert line.refunded_tax_minor == line.tax_minor


@given(st.data(), AMOUNTS)
def test_without_failures_the_fee_given_back_is_the_rounded_proportion_of_the_total_refunded(data, amount):
    fee = data.draw(st.integers(0, amount))
    refunded = fee_back = 0
    while refunded < amount:
        refund = (
            data.draw(st.integers(1, amount - refunded)) if amount - refunded < 10 else (amount - refunded + 2) // 3
        )
        fee_back += part_to_give_back(
            refund, of=GivenBack(amount=amount, part=fee), so_far=GivenBack(amount=refunded, part=fee_back)
        )
        refunded += refund
        assert fee_back == (2 * fee * refunded + amount) // (2 * amount)
    assert fee_back == fee


@given(st.data(), st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any), CURRENCIES)
def test_an_amount_over_all_lines_is_spread_exactly_and_overdraws_none(data, amounts, currency):
    lines = lines_of(*amounts, currency=currency)
    for _ in range(3):
        left = remaining_of(lines).minor
        if not left:
            break
        wanted = Money(data.draw(st.integers(1, left)), currency)
        assert total_of(give_back(lines, OverAllLines(wanted))) == wanted
        assert all(line.refundable.minor >= 0 for line in lines)


@pytest.mark.parametrize("refund", [0, -1, 11])
def test_an_amount_that_is_not_positive_or_too_large_is_refused(refund):
    with pytest.raises(ValueError, match="where 10 is left"):
        part_to_give_back(refund, of=GivenBack(amount=30, part=3), so_far=GivenBack(amount=20, part=2))


def test_tax_that_the_platform_owes_goes_back_in_proportion_beside_fee_and_share():
    [line] = lines_of(12_000)
    line.platform_tax_minor, line.platform_fee_minor, line.teacher_share_minor = 2000, 1000, 9000
    pieces = [give_back([line], of_line(line, minor))[0] for minor in (6000, 1, 5999)]
    assert [(piece.tax.minor, piece.fee.minor, piece.share.minor) for piece in pieces] == [
        (1000, 500, 4500), (0, 0, 1), (1000, 500, 4499),
    ]  # fmt: skip
    assert {piece.tax.currency for piece in pieces} == {"GBP"}
