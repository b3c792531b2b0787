"""Clean transactions and planted differences of every kind, as both sides would have them. Pure.

`clean(number)` gives the groups of one order. `PLANTS` has for each kind a function that makes one group with exactly
that difference, and the kinds and amounts that must be found.
"""

import random
import uuid
from datetime import UTC, datetime, timedelta

from payments.reconciliation.book_items import BookedEntry, Record
from payments.reconciliation.groups import Group, Terms
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.statement import Topic, key_of, read_movement

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TERMS = Terms(
    livemode=False,
    settled_before=NOON + timedelta(days=400),
    since=NOON - timedelta(days=400),
    until=NOON + timedelta(days=500),
)
CURRENCIES = ("GBP", "JPY", "KWD")


def transaction(kind, *, number, amount, source, currency="GBP", **changes):
    """A balance transaction as Stripe lists it; `number` makes its id."""
    fee = changes.pop("fee", 0)
    at = changes.pop("at", NOON)
    fields = {
        "id": f"txn_{number}",
        "object": "balance_transaction",
        "type": kind,
        "reporting_category": kind,
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "currency": currency.lower(),
        "created": int(at.timestamp()),
        "available_on": int((at + timedelta(days=2)).timestamp()),
        "description": None,
        "source": source,
        "fee_details": [{"type": "stripe_fee", "description": "Stripe processing fees", "amount": fee}] if fee else [],
    }
    return read_movement({**fields, **changes})


def charge_of(number, **changes):
    """A charge as the expanded source of a transaction."""
    fields = {"id": f"ch_{number}", "object": "charge", "payment_intent": f"pi_{number}", "currency": "gbp"}
    return {**fields, **changes}


def refund_of(number, **changes):
    fields = {
        "id": f"re_{number}",
        "object": "refund",
        "payment_intent": f"pi_{number}",
        "status": "succeeded",
        "currency": "gbp",
    }
    return {**fields, **changes}


def entry(source, amount, currency="GBP", at=NOON):
    return BookedEntry(source=source, currency=currency, amount_minor=amount, effective_at=at)


def record(topic, number, amount, **changes):
    prefix = {Topic.CHARGE: "pi", Topic.REFUND: "re", Topic.DISPUTE: "du", Topic.TRANSFER: "tr"}[topic]
    fields = {
        "key": key_of(topic, f"{prefix}_{number}"),
        "label": f"{topic} {number}",
        "currency": "GBP",
        "is_done": True,
        "happened_at": NOON,
    }
    return Record(topic=topic, amount_minor=amount, **{**fields, **changes})


def group(topic, number, *, movements=(), records=(), entries=(), **changes):
    prefix = {Topic.CHARGE: "pi", Topic.REFUND: "re", Topic.DISPUTE: "du", Topic.TRANSFER: "tr"}
    prefix |= {Topic.PLATFORM_PAYOUT: "po", Topic.OTHER: "txn"}
    key = key_of(topic, f"{prefix[topic]}_{number}")
    assert {movement.key for movement in movements} <= {key}
    return Group(key=key, movements=tuple(movements), records=tuple(records), entries=tuple(entries), **changes)


def sale(number, amount, fee, currency="GBP", **changes):
    """A clean sale; `changes` replace a side."""
    sides = {
        "movements": [
            transaction("charge", number=number, amount=amount, fee=fee, currency=currency, source=charge_of(number))
        ],
        "records": [record(Topic.CHARGE, number, amount, currency=currency)],
        "entries": [
            entry(f"order:{number}:settled", amount, currency),
            entry(f"payment:{number}:fee", -fee, currency),
        ],
    }
    return group(Topic.CHARGE, number, **{**sides, **changes})


def refund(number, amount, currency="GBP", **changes):
    sides = {
        "movements": [
            transaction("refund", number=f"r{number}", amount=-amount, currency=currency, source=refund_of(number))
        ],
        "records": [record(Topic.REFUND, number, amount, currency=currency)],
        "entries": [entry(f"refund:{number}:succeeded", -amount, currency)],
        "order_number": "L1",
    }
    return group(Topic.REFUND, number, **{**sides, **changes})


def adjustment(number, amount, fee, category="dispute", **changes):
    return transaction(
        "adjustment",
        number=f"{category}{number}",
        amount=amount,
        fee=fee,
        source=f"du_{number}",
        reporting_category=category,
        **changes,
    )


def dispute(number, amount, fee=1500, **changes):
    sides = {
        "movements": [adjustment(number, -amount, fee)],
        "records": [record(Topic.DISPUTE, number, amount)],
        "entries": [entry(f"dispute:du_{number}:withdrawn", -amount - fee)],
    }
    return group(Topic.DISPUTE, number, **{**sides, **changes})


def transfer(number, amount, **changes):
    sides = {
        "movements": [transaction("transfer", number=f"t{number}", amount=-amount, source=f"tr_{number}")],
        "records": [record(Topic.TRANSFER, number, amount)],
        "entries": [entry(f"payout:{number}:paid", -amount)],
    }
    return group(Topic.TRANSFER, number, **{**sides, **changes})


def own(kind, number, amount, *, category="", booked=False, **changes):
    """A movement that only Stripe makes."""
    movement = transaction(
        kind, number=f"o{number}", amount=amount, source=None, reporting_category=category or kind, **changes
    )
    entries = [entry(f"stripe:{movement.id}", movement.net_minor)] if booked else []
    return group(Topic.OTHER, f"o{number}", movements=[movement], entries=entries)


def platform_payout(number, amount, *, booked=False, kind="payout", **changes):
    movement = transaction(kind, number=f"p{number}", amount=-amount, source=f"po_{number}", **changes)
    entries = [entry(f"stripe:{movement.id}", movement.net_minor)] if booked else []
    return group(Topic.PLATFORM_PAYOUT, number, movements=[movement], entries=entries)


def clean(number):
    """The groups of one order: always a sale, and by its number a refund, a dispute, a transfer or what Stripe does."""
    chance = random.Random(number)
    amount, currency = chance.randint(30, 10**7), CURRENCIES[number % 3]
    yield sale(number, amount, chance.randint(1, 29), currency)
    if number % 4 == 0:
        yield refund(number, chance.randint(1, amount), currency)
    if number % 7 == 0:
        yield dispute(number, amount)
    if number % 9 == 0:
        yield transfer(number, chance.randint(1, amount))
    if number % 11 == 0:
        yield platform_payout(number, amount, booked=True)
    if number % 13 == 0:
        yield own("stripe_fee", number, -chance.randint(1, 500), booked=True)
    if number % 17 == 0:
        yield _failed_refund(number, chance.randint(1, amount))
    if number % 18 == 0:
        yield _failed_pending_refund(number, chance.randint(1, amount))
    if number % 19 == 0:
        yield _won_dispute(number, amount)


def _failed_refund(number, amount):
    number = f"{number}f"
    back = transaction("refund_failure", number=f"b{number}", amount=amount, source=refund_of(number, status="failed"))
    given = transaction("refund", number=f"r{number}", amount=-amount, source=refund_of(number, status="failed"))
    entries = [entry(f"refund:{number}:succeeded", -amount), entry(f"refund:{number}:failed", amount)]
    return refund(number, amount, movements=[given, back], entries=entries)


def _failed_pending_refund(number, amount):
    """Stripe took the money of a pending refund and gave it back; the books never had it."""
    never = record(Topic.REFUND, f"{number}f", amount, is_done=False, has_ended=True)
    return refund(f"{number}f", amount, movements=_failed_refund(number, amount).movements, records=[never], entries=[])


def _won_dispute(number, amount):
    number = f"{number}w"
    movements = [adjustment(number, -amount, 1500), adjustment(number, amount, -1500, "dispute_reversal")]
    steps = [("withdrawn", -amount - 1500), ("reinstated", amount + 1500)]
    return dispute(
        number, amount, movements=movements, entries=[entry(f"dispute:du_{number}:{s}", a) for s, a in steps]
    )


def _missing_event(number, amount):
    not_paid = record(Topic.CHARGE, number, amount, is_done=False)
    return sale(number, amount, 29, records=[not_paid], entries=[]), [(Kind.MISSING_EVENT, amount - 29, "GBP")]


def _missing_event_of_refund(number, amount):
    pending = record(Topic.REFUND, number, amount, is_done=False)
    return refund(number, amount, records=[pending], entries=[]), [(Kind.MISSING_EVENT, -amount, "GBP")]


def _missing_event_of_dispute(number, amount):
    movements = [adjustment(number, -amount, 1500), adjustment(number, amount, 0, "dispute_reversal")]
    return dispute(number, amount, movements=movements), [(Kind.MISSING_EVENT, amount, "GBP")]


def _missing_fee(number, amount):
    return sale(number, amount, 29, entries=[entry(f"order:{number}:settled", amount)]), [
        (Kind.MISSING_FEE, -29, "GBP")
    ]


def _further_fees(number, amount):
    parts = [{"type": "stripe_fee", "amount": 29}, {"type": "tax", "description": "VAT", "amount": 6}]
    movement = transaction("charge", number=number, amount=amount, fee=35, source=charge_of(number), fee_details=parts)
    return sale(number, amount, 29, movements=[movement]), [(Kind.FURTHER_FEES, -6, "GBP")]


def _dispute_as_adjustment(number, amount):
    return dispute(number, amount, records=[], entries=[]), [(Kind.DISPUTE_NOT_BOOKED, -amount - 1500, "GBP")]


def _reserve(number, amount):
    return own("reserve_transaction", number, -amount), [(Kind.RESERVE, -amount, "GBP")]


def _reserve_by_category(number, amount):
    return own("adjustment", number, -amount, category="risk_reserved_funds"), [(Kind.RESERVE, -amount, "GBP")]


def _prefunding(number, amount):
    return own("topup", number, amount), [(Kind.PREFUNDING, amount, "GBP")]


def _outside_charge(number, amount):
    return sale(number, amount, 29, records=[], entries=[]), [(Kind.OUTSIDE_CHARGE, amount - 29, "GBP")]


def _outside_refund(number, amount):
    return refund(number, amount, records=[], entries=[], order_number=""), [(Kind.OUTSIDE_CHARGE, -amount, "GBP")]


def _instant_payout_fee(number, amount):
    booked = platform_payout(number, amount, fee=150)
    entries = [entry(f"stripe:{booked.movements[0].id}", -amount)]
    return group(Topic.PLATFORM_PAYOUT, number, movements=booked.movements, entries=entries), [
        (Kind.INSTANT_PAYOUT_FEE, -150, "GBP")
    ]


def _instant_payout_fee_by_itself(number, amount):
    fee = own("stripe_fee", number, -amount, description="Instant Payout fee")
    return fee, [(Kind.INSTANT_PAYOUT_FEE, -amount, "GBP")]


def _advance(number, amount):
    return own("advance", number, amount), [(Kind.ADVANCE, amount, "GBP")]


def _repayment(number, amount):
    return own("anticipation_repayment", number, -amount), [(Kind.ADVANCE, -amount, "GBP")]


def _stripe_fee(number, amount):
    return own("stripe_fee", number, -amount), [(Kind.STRIPE_FEE, -amount, "GBP")]


def _platform_payout(number, amount):
    return platform_payout(number, amount), [(Kind.PLATFORM_PAYOUT, -amount, "GBP")]


def _failed_platform_payout(number, amount):
    return platform_payout(number, -amount, kind="payout_failure"), [(Kind.FAILED_PAYOUT, amount, "GBP")]


def _failed_transfer(number, amount):
    sent = transfer(number, amount).movements[0]
    back = transaction("transfer_failure", number=f"f{number}", amount=amount, source=f"tr_{number}")
    return transfer(number, amount, movements=[sent, back]), [(Kind.FAILED_PAYOUT, amount, "GBP")]


def _refund_failed(number, amount):
    failed = _failed_refund(number, amount)
    return refund(f"{number}f", amount, movements=failed.movements), [(Kind.REFUND_FAILED, amount, "GBP")]


def _refund_by_hand(number, amount):
    return refund(number, amount, records=[], entries=[]), [(Kind.REFUND_BY_HAND, -amount, "GBP")]


def _refund_not_here(number, amount):
    ours = refund_of(number, metadata={"refund": "a-key-of-ours"})
    movement = transaction("refund", number=f"r{number}", amount=-amount, source=ours)
    return refund(number, amount, movements=[movement], records=[], entries=[]), [
        (Kind.REFUND_NOT_HERE, -amount, "GBP")
    ]


def _transfer_by_hand(number, amount):
    return transfer(number, amount, records=[], entries=[]), [(Kind.TRANSFER_BY_HAND, -amount, "GBP")]


def _transfer_not_here(number, amount):
    ours = {
        "id": f"tr_{number}",
        "object": "transfer",
        "metadata": {"payout": str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))},
    }
    sent = transaction("transfer", number=f"t{number}", amount=-amount, source=ours)
    return transfer(number, amount, movements=[sent], records=[], entries=[]), [
        (Kind.TRANSFER_NOT_HERE, -amount, "GBP")
    ]


def _reversal_by_hand(number, amount):
    reversal = {"id": f"trr_{number}", "object": "transfer_reversal", "transfer": f"tr_{number}"}
    back = transaction("transfer_refund", number=f"v{number}", amount=amount, source=reversal)
    return transfer(number, amount, movements=[*transfer(number, amount).movements, back]), [
        (Kind.REVERSAL_BY_HAND, amount, "GBP")
    ]


def _payment_returned(number, amount):
    back = transaction("payment_failure_refund", number=f"x{number}", amount=-amount, source=charge_of(number))
    return sale(number, amount, 29, movements=[*sale(number, amount, 29).movements, back]), [
        (Kind.PAYMENT_RETURNED, -amount, "GBP")
    ]


def _amount_differs(number, amount):
    entries = [entry(f"order:{number}:settled", amount + 7), entry(f"payment:{number}:fee", -29)]
    return sale(number, amount, 29, entries=entries), [(Kind.AMOUNT_DIFFERS, -7, "GBP")]


def _conversion_not_booked(number, amount):
    movement = transaction("charge", number=number, amount=amount, currency="USD", source=charge_of(number))
    return sale(number, amount, 29, movements=[movement], entries=[entry(f"order:{number}:settled", amount)]), [
        (Kind.CONVERSION_RESIDUE, -amount, "GBP"),
        (Kind.CONVERSION_RESIDUE, amount, "USD"),
    ]


def _other_currency(number, amount):
    source = charge_of(number, currency="usd")
    movement = transaction("charge", number=number, amount=amount, currency="USD", source=source)
    return sale(number, amount, 29, movements=[movement], entries=[entry(f"order:{number}:settled", amount)]), [
        (Kind.AMOUNT_DIFFERS, -amount, "GBP"),
        (Kind.AMOUNT_DIFFERS, amount, "USD"),
    ]


def _conversion_residue(number, amount):
    movement = transaction("charge", number=number, amount=amount, currency="USD", source=charge_of(number))
    entries = [
        entry(f"order:{number}:settled", amount),
        entry(f"payment:{number}:converted", -amount),
        entry(f"payment:{number}:converted", amount - 3, "USD"),
    ]
    return sale(number, amount, 29, movements=[movement], entries=entries), [(Kind.CONVERSION_RESIDUE, 3, "USD")]


def _sale_not_booked(number, amount):
    return sale(number, amount, 29, entries=[]), [(Kind.NOT_BOOKED, amount - 29, "GBP")]


def _transfer_not_booked(number, amount):
    return transfer(number, amount, entries=[]), [(Kind.NOT_BOOKED, -amount, "GBP")]


def _transfer_not_at_stripe(number, amount):
    return transfer(number, amount, movements=[]), [(Kind.NOT_AT_STRIPE, amount, "GBP")]


def _sale_not_at_stripe(number, amount):
    return sale(number, amount, 29, movements=[]), [(Kind.NOT_AT_STRIPE, 29 - amount, "GBP")]


def _cut_off_by_time_zone(number, amount):
    """Stripe counts in UTC: its last minute of a period is the next day for us."""
    late = TERMS.until + timedelta(minutes=30)
    entries = [entry(f"order:{number}:settled", amount, at=late), entry(f"payment:{number}:fee", -29, at=late)]
    return sale(number, amount, 29, entries=entries), [(Kind.CUT_OFF, amount - 29, "GBP")]


def _cut_off_by_pending(number, amount):
    """Stripe has taken the money of a refund that is still pending; the books follow when it succeeds."""
    source = refund_of(number, status="pending")
    just_now = TERMS.settled_before - timedelta(days=1)
    movement = transaction("refund", number=f"r{number}", amount=-amount, source=source, at=just_now)
    pending = record(Topic.REFUND, number, amount, is_done=False)
    return refund(number, amount, movements=[movement], records=[pending], entries=[]), [(Kind.CUT_OFF, -amount, "GBP")]


def _cut_off_by_return(number, amount):
    """A pending refund has failed, and its money is on the way back to the balance."""
    just_now = TERMS.settled_before - timedelta(days=20)
    source = refund_of(number, status="failed")
    movement = transaction("refund", number=f"r{number}", amount=-amount, source=source, at=just_now)
    never = record(Topic.REFUND, number, amount, is_done=False, has_ended=True)
    return refund(number, amount, movements=[movement], records=[never], entries=[]), [(Kind.CUT_OFF, -amount, "GBP")]


def _cut_off_under_way(number, amount):
    """The event of a charge that is a minute old may still come."""
    just_now = TERMS.settled_before + timedelta(minutes=1)
    movement = transaction("charge", number=number, amount=amount, source=charge_of(number), at=just_now)
    open_payment = record(Topic.CHARGE, number, amount, is_done=False)
    return sale(number, amount, 0, movements=[movement], records=[open_payment], entries=[]), [
        (Kind.CUT_OFF, amount, "GBP")
    ]


def _wrong_mode(number, amount):
    live = record(Topic.CHARGE, number, amount, livemode=True)
    return sale(number, amount, 29, movements=[], records=[live]), [(Kind.WRONG_MODE, 29 - amount, "GBP")]


def _wrong_account(number, amount):
    return sale(number, amount, 29, movements=[], is_foreign=True), [(Kind.WRONG_MODE, 29 - amount, "GBP")]


def _double_charge(number, amount):
    second = transaction("charge", number=f"d{number}", amount=amount, fee=29, source=charge_of(number))
    return sale(number, amount, 29, movements=[*sale(number, amount, 29).movements, second]), [
        (Kind.DOUBLE, amount - 29, "GBP")
    ]


def _double_payment(number, amount):
    return sale(number, amount, 29, records=[], entries=[], twin="pi_first"), [(Kind.DOUBLE, amount - 29, "GBP")]


def _double_sale(number, amount):
    entries = [*sale(number, amount, 29).entries, entry(f"payment:{number}:second", amount)]
    return sale(number, amount, 29, entries=entries), [(Kind.DOUBLE, -amount, "GBP")]


def _double_refund(number, amount):
    return refund(number, amount, records=[], entries=[], twin="re_first"), [(Kind.DOUBLE, -amount, "GBP")]


def _double_transfer(number, amount):
    return transfer(number, amount, records=[], entries=[], twin="tr_first"), [(Kind.DOUBLE, -amount, "GBP")]


def _unknown_type(number, amount):
    return own("climate_order_purchase", number, -amount), [(Kind.UNKNOWN_TYPE, -amount, "GBP")]


def _unknown_everything(number, amount):
    source = {"id": f"zz_{number}", "object": "something_new"}
    movement = transaction(None, number=f"o{number}", amount=amount, currency="usdx", source=source)
    return group(Topic.OTHER, f"o{number}", movements=[movement]), [(Kind.UNKNOWN_TYPE, amount, "USDX")]


PLANTS = (
    _missing_event, _missing_event_of_refund, _missing_event_of_dispute, _missing_fee, _further_fees,
    _dispute_as_adjustment, _reserve, _reserve_by_category, _prefunding, _outside_charge, _outside_refund,
    _instant_payout_fee, _instant_payout_fee_by_itself, _advance, _repayment, _stripe_fee, _platform_payout,
    _failed_platform_payout, _failed_transfer, _refund_failed, _refund_by_hand, _refund_not_here, _transfer_by_hand,
    _transfer_not_here, _reversal_by_hand, _payment_returned, _amount_differs, _other_currency, _conversion_residue, _conversion_not_booked,
    _sale_not_booked, _transfer_not_booked, _transfer_not_at_stripe, _sale_not_at_stripe, _cut_off_by_time_zone,
    _cut_off_by_pending, _cut_off_by_return, _cut_off_under_way, _wrong_mode, _wrong_account, _double_charge, _double_payment,
    _double_sale,
    _double_refund, _double_transfer, _unknown_type, _unknown_everything,
)  # fmt: skip
