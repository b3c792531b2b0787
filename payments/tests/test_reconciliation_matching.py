"""Every difference between Stripe's statement and the books is found and named, and none is invented."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.reconciliation.groups import Group, Terms
from payments.reconciliation.kinds import DifferenceKind
from payments.reconciliation.matching import compare
from payments.reconciliation.statement import read_movement
from payments.tests import planted_differences as planted
from payments.tests.planted_differences import NOON, PLANTS, TERMS, clean


def shapes(findings):
    return sorted((finding.kind, finding.amount_minor, finding.currency) for finding in findings)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__.strip("_"))
def test_each_planted_difference_is_named(plant):
    group, expected = plant(1, 5000)
    assert shapes(compare(group, TERMS)) == sorted(expected)


def test_every_kind_is_planted_but_the_remainder():
    kinds = {kind for plant in PLANTS for kind, _, _ in plant(1, 5000)[1]}
    assert kinds == set(DifferenceKind) - {DifferenceKind.REMAINDER}


def test_a_thousand_differences_among_ten_thousand_orders_are_all_found_and_none_invented():
    chance = random.Random(20260310)
    groups = [(group, []) for number in range(10_000) for group in clean(number)]
    groups += [PLANTS[n % len(PLANTS)](f"planted{n}", chance.randint(100, 10**7)) for n in range(1_000)]
    chance.shuffle(groups)
    stripe, books, named = Counter(), Counter(), Counter()
    found, expected = [], []
    for group, planted_here in groups:
        findings = compare(group, TERMS)
        found += [(group.key, *shape) for shape in shapes(findings)]
        expected += [(group.key, *shape) for shape in sorted(planted_here)]
        for movement in group.movements:
            stripe[movement.currency] += movement.net_minor * TERMS.covers(movement.created_at)
        for entry in group.entries:
            books[entry.currency] += entry.amount_minor * TERMS.covers(entry.effective_at)
        for finding in findings:
            named[finding.currency] += finding.amount_minor
    assert found == expected
    remainder = {currency: stripe[currency] - books[currency] - named[currency] for currency in stripe | books}
    assert not any(remainder.values()), remainder


moments = st.integers(-3, 3).map(lambda days: NOON + timedelta(days=days))
amounts = st.integers(-(10**9), 10**9)
STEPS = (
    "order:1:settled", "payment:1:second", "payment:1:fee", "payment:1:converted", "refund:1:succeeded",
    "refund:1:failed", "refund:1:failed:fee", "refund:1:failed:converted", "dispute:du_1:withdrawn", "dispute:du_1:reinstated:2", "payout:1:paid", "payout:1:returned",
    "stripe:txn_1", "stripe:txn_1:fee", "stripe:", "rent:1", "order", "order:",
)  # fmt: skip
SOURCES = (
    planted.charge_of(1), planted.refund_of(1), "du_1", "tr_1", "po_1", None, "", {"object": "zebra", "id": "zz_1"},
    planted.refund_of(1, status="pending"),
    {"id": "trr_1", "object": "transfer_reversal", "transfer": "tr_1"},
)  # fmt: skip
TYPES = ("charge", "refund", "refund_failure", "adjustment", "transfer", "payout", "topup", "stripe_fee", "new", None)


@st.composite
def groups(draw):
    """Any mixture of both sides, however senseless."""
    raw = draw(
        st.lists(st.tuples(st.sampled_from(TYPES), st.sampled_from(SOURCES), amounts, amounts, moments), max_size=4)
    )
    movements = [
        planted.transaction(kind, number=n, amount=amount, fee=fee, source=source, at=at)
        for n, (kind, source, amount, fee, at) in enumerate(raw)
    ]
    key = movements[0].key if movements else draw(st.sampled_from(["charge:pi_1", "transfer:tr_1", "other:x", "odd"]))
    movements = [replace(movement, key=key) for movement in movements]
    booked = draw(
        st.lists(st.tuples(st.sampled_from(STEPS), amounts, st.sampled_from(["GBP", "JPY"]), moments), max_size=4)
    )
    records = [planted.record("charge", 1, 5000, is_done=draw(st.booleans()))] if draw(st.booleans()) else []
    return Group(
        key=key,
        movements=tuple(movements),
        records=tuple(records),
        entries=tuple(planted.entry(*each) for each in booked),
        order_number=draw(st.sampled_from(["", "L1"])),
        twin=draw(st.sampled_from(["", "re_2"])),
        is_foreign=draw(st.booleans()),
    )


@given(groups(), moments, moments, moments)
def test_findings_always_add_up_to_the_difference_of_the_period(group, since, until, settled_before):
    terms = Terms(livemode=False, settled_before=settled_before, since=since, until=until)
    total = Counter()
    for finding in compare(group, terms):
        total[finding.currency] += finding.amount_minor
    total.subtract(group.deltas(terms))
    assert not any(total.values())


@given(groups())
def test_two_equal_sides_have_no_difference(group):
    booked = tuple(
        planted.entry(f"stripe:{movement.id}", movement.net_minor, movement.currency, at=movement.created_at)
        for movement in group.movements
    )
    equal = replace(group, key="other:txn_1", entries=booked, records=(), is_foreign=False)
    assert [finding for finding in compare(equal, TERMS) if finding.amount_minor] == []


@pytest.mark.parametrize("field", ["id", "amount", "fee", "currency", "created", "available_on"])
def test_a_transaction_without_an_amount_a_time_or_an_id_is_refused(field):
    data = {"id": "txn_1", "amount": 1, "fee": 0, "currency": "gbp", "created": 1, "available_on": 1}
    assert read_movement(data).type == ""
    del data[field]
    with pytest.raises((KeyError, TypeError)):
        read_movement(data)
