"""Every next step of a world: what people, time and Stripe may do, each report of Stripe's arriving at once or late."""

from functools import partial

from payments.payouts.rules import Happening
from payments.refunds.plan import LinePart, OfLines, WholeOrder
from payments.tests.money_model.snapshots import next_of, opened
from payments.tests.money_model.world import LINES_OF, SENT, money

THIRD = 335
MADE_AT_STRIPE = 500
# Besides those that follow by themselves. More would add nothing but time.
MOST_REFUNDS = 3


def next_steps(world):
    """Pairs of a name and a function that changes a world."""
    yield from _sales(world)
    if "A" in world.plain.orders:
        yield from _refunds(world)
        yield from _allocations(world)
        yield from _outcomes_of_refunds(world)
        yield from _disputes(world)
        yield from _maturities(world)
        yield from _payouts(world)


def _at_once_or_late(name, world, report, *, stripe=()):
    """The same report, arriving at once and late. `stripe` is what is so at Stripe from now on."""
    for is_late in (False, True):

        def happen(changed, is_late=is_late):
            changed.at_stripe.update(stripe)
            changed.report(report, is_late=is_late)

        yield f"{name}, late" if is_late else name, happen


def _sales(world):
    for order in "AB":
        if order not in world.plain.orders:
            yield f"sale of {order}", lambda changed, order=order: changed.sell(order)
    if "A" in world.plain.orders and not world.plain.second_payments:
        yield "second payment of A", lambda changed: changed.pay_again("A")


def _refunds(world):
    plain = world.plain
    count = sum(1 for key, _ in _refunds_at_stripe(world) if key.startswith("r"))
    if count >= MOST_REFUNDS:
        return
    key = f"r{count}"
    left_at_stripe = _left_at_stripe(world)
    if min(plain.left_of(1), plain.refundable_of_payment("A"), left_at_stripe) >= THIRD:
        wanted = OfLines([LinePart(line_id=1, amount=money(THIRD))])
        yield "partial refund", partial(_request, key=key, wanted=wanted, amounts={1: THIRD})
    rest = {line: plain.left_of(line) for line in LINES_OF["A"]}
    if 0 < sum(rest.values()) <= min(plain.refundable_of_payment("A"), left_at_stripe):
        yield "refund of the rest", partial(_request, key=key, wanted=WholeOrder(), amounts=rest)
    if left_at_stripe >= MADE_AT_STRIPE:
        report = ("refund made at Stripe", key, "A", MADE_AT_STRIPE, "succeeded")
        yield from _at_once_or_late("refund at Stripe", world, report, stripe={key: ("succeeded", MADE_AT_STRIPE)})


def _request(world, *, key, wanted, amounts):
    world.refund(key, "A", wanted, amounts)
    world.at_stripe[key] = ("pending", sum(amounts.values()))


def _left_at_stripe(world):
    """Stripe refunds no more than the charge of A, whatever we know of it by now."""
    return DISPUTED["all"] - sum(
        amount for key, (status, amount) in _refunds_at_stripe(world) if key.startswith("r") and status != "failed"
    )


def _refunds_at_stripe(world):
    return [(key, facts) for key, facts in world.at_stripe.items() if not key.startswith("d")]


def _allocations(world):
    for key, refund in world.plain.refunds.items():
        is_waiting = refund.state != "ended" and not refund.is_of_second_payment and world.plain.unallocated(refund)
        if is_waiting and world.plain.unallocated(refund) <= world.plain.left_of_order("A"):
            yield f"allocation of {key}", partial(_allocate, key=key)


def _allocate(world, *, key):
    world.rules.allocate_as_proposed(key)
    world.allocate_plainly(key)


def _outcomes_of_refunds(world):
    after = {"pending": ("succeeded", "failed"), "succeeded": ("failed",), "failed": ()}
    for key, (status, amount) in _refunds_at_stripe(world):
        for outcome in after.get(status, ()):
            report = ("refund", key, outcome)
            if _is_made_at_stripe(world, key):
                report = ("refund made at Stripe", key, "A", amount, outcome)
            yield from _at_once_or_late(f"{key} {outcome}", world, report, stripe={key: (outcome, amount)})


def _is_made_at_stripe(world, key):
    return any(report[:2] == ("refund made at Stripe", key) for report in (*world.late, *world.arrived))


# What the card's bank disputes: part, all, and more than was paid, after a change of exchange rates.
DISPUTED = {"part": 300, "all": 1340, "more": 1500}


def _disputes(world):
    count = sum(1 for key in world.at_stripe if key.startswith("d"))
    if count < 2:
        for name, amount in DISPUTED.items():
            yield from _dispute_reported(world, f"dispute of {name}", f"d{count}", opened("A", amount))
        yield from _dispute_reported(world, "inquiry", f"d{count}", opened("A", DISPUTED["all"], is_inquiry=True))
    for key, last in world.at_stripe.items():
        if key.startswith("d"):
            for name, snapshot in next_of(last):
                yield from _dispute_reported(world, f"{key} {name}", key, snapshot)


def _dispute_reported(world, name, key, snapshot):
    yield from _at_once_or_late(name, world, ("dispute", key, snapshot), stripe={key: snapshot})


def _maturities(world):
    for pk, line in world.plain.lines.items():
        if pk in (1, 3) and not line.has_matured:
            yield f"line {pk} matures", lambda changed, pk=pk: changed.mature(pk)


def _payouts(world):
    payouts = world.plain.payouts
    is_open = any(payout.state == "claimed" for payout in payouts.values())
    if not is_open and len(payouts) < 2 and world.plain.figures().get(("teacher_available", 1), 0) > 0:
        yield "payout requested", lambda changed: changed.request_payout(f"p{len(payouts)}", 1)
    for key, payout in payouts.items():
        paid, failed = ("payout", key, (*SENT, Happening.CONFIRM)), ("payout", key, (*SENT, Happening.REFUSE))
        unknown = ("payout", key, (*SENT, Happening.LOSE_ANSWER))
        told = {*world.arrived, *world.late}
        for name, report in (("paid", paid), ("failed", failed), ("unknown", unknown)):
            if report not in told and paid not in told:
                yield from _at_once_or_late(f"{key} {name}", world, report)
        if payout.state == "paid" and not payout.returned:
            yield f"{key} returned in part", partial(_arrive, report=("return", key, 100, "trr_1"))
        if payout.state == "paid" and payout.returned < payout.amount:
            rest = payout.amount - payout.returned
            yield f"{key} returned", partial(_arrive, report=("return", key, rest, "trr_2"))


def _arrive(world, *, report):
    world.arrive(report)
