"""Balance transactions: every movement of money, and when it becomes available."""

from django.db.models import IntegerField, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from sandbox import clock, identifiers, schedule, store
from sandbox.options import options
from sandbox.payments.fees import BANK_DEBIT_FEE_MINOR, card_fee
from sandbox.payments.test_cards import BY_NUMBER
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

DAY = 24 * 3600
PENDING_DAYS = 2


def record_movement(  # noqa: PLR0913 -- the fields of a balance transaction
    *,
    kind: str,
    amount_minor: int,
    currency: str,
    source: str,
    description: str | None,
    fee_minor: int = 0,
    reporting_category: str = "",
    is_available: bool = False,
) -> Body:
    """Write a balance transaction, in minor units of `currency`; positive amounts come in."""
    moment = clock.now()
    available_on = moment if is_available else (moment // DAY + PENDING_DAYS) * DAY
    movement = store.insert(
        {
            "id": identifiers.sibling_id("txn_3", source),
            "object": "balance_transaction",
            "amount": amount_minor,
            "available_on": available_on,
            "balance_type": "payments",
            "created": moment,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee_minor,
            "fee_details": _fee_details(fee_minor, currency),
            "net": amount_minor - fee_minor,
            "reporting_category": reporting_category or kind,
            "source": source,
            "status": "available" if is_available else "pending",
            "type": kind,
        }
    )
    if not is_available:
        schedule.schedule_once("make_available", str(available_on), at=available_on)
    return movement


def _fee_details(fee_minor: int, currency: str) -> list[Body]:
    if not fee_minor:
        return []
    named = {"description": "Stripe processing fees", "type": "stripe_fee"}
    return [{"amount": fee_minor, "application": None, "currency": currency, **named}]


def record_charge_income(charge: Body) -> Body:
    """The income of a captured charge, less Stripe's fee; writes its id on the charge."""
    details = charge["payment_method_details"]
    is_card = details["type"] == "card"
    captured = charge["amount_captured"]
    fee = (
        card_fee(captured, account_country=options().account_country, card_country=details["card"]["country"])
        if is_card
        else min(captured, BANK_DEBIT_FEE_MINOR)
    )
    card = BY_NUMBER.get(charge.get("_number", ""))
    movement = record_movement(
        kind="charge" if is_card else "payment",
        reporting_category="charge",
        amount_minor=captured,
        currency=charge["currency"],
        source=charge["id"],
        description=charge["description"],
        fee_minor=fee,
        is_available=bool(card and card.is_available_at_once),
    )
    charge["balance_transaction"] = movement["id"]
    return movement


@step("make_available")
def make_available(available_on: str) -> None:
    """The day has come for everything that was pending until then; one event tells of it."""
    for movement in store.rows("balance_transaction").filter(status="pending").values_list("body", flat=True):
        if movement["available_on"] <= int(available_on):
            store.save(movement | {"status": "available"})
    emit("balance.available", current_balance(), is_automatic=True)


@step("settle_charge")
def settle_charge(charge_id: str) -> None:
    """Give a captured charge its balance transaction and say so with charge.updated."""
    charge = store.fetch("charge", charge_id)
    if charge["balance_transaction"] or not charge["captured"]:
        return
    record_charge_income(charge)
    store.save(charge)
    previous = {"balance_transaction": None, "receipt_url": None}
    emit("charge.updated", charge, previous=previous, is_automatic=True)


def current_balance() -> Body:
    """What is available and what is still pending, by currency."""
    sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
    by_status = store.rows("balance_transaction").values("status", currency=KT("body__currency"))
    for row in by_status.annotate(total=Sum(Cast(KT("body__net"), IntegerField()))):
        sums[row["status"]][row["currency"]] = row["total"]
    currencies = sorted(sums["available"] | sums["pending"]) or ["usd"]

    def side(name: str) -> list[Body]:
        amounts = ((currency, sums[name].get(currency, 0)) for currency in currencies)
        return [{"amount": a, "currency": c, "source_types": {"card": a}} for c, a in amounts]

    return {"object": "balance", "available": side("available"), "livemode": False, "pending": side("pending")}
