"""Balance transactions: every movement of money, when it becomes available, and their sums.

An account's balance is the sum of its balance transactions; it is not stored a second time.
"""

from collections.abc import Callable
from typing import TypeAlias

from django.db.models import Sum

from sandbox import clock, identifiers, schedule, store
from sandbox.models import StoredObject
from sandbox.options import options
from sandbox.payments.fees import BANK_DEBIT_FEE_MINOR, card_fee, default_currency
from sandbox.payments.published_cards import BY_NUMBER
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

DAY = 24 * 3600
PENDING_DAYS = 2
PROCESSING = "Stripe processing fees"
Follower: TypeAlias = Callable[[Body], None]

# Connect registers its functions here, to run when a charge's income is recorded and when funds become available.
_income_followers: list[Follower] = []
_funds_followers: list[Callable[[], None]] = []


def on_charge_income(follower: Follower) -> Follower:
    """Call `follower` with each charge whose income was recorded; it may change the charge before that is saved."""
    _income_followers.append(follower)
    return follower


def on_available_funds(follower: Callable[[], None]) -> Callable[[], None]:
    """Call `follower` whenever funds become available on the acting account."""
    _funds_followers.append(follower)
    return follower


def record_movement(  # noqa: PLR0913 -- the fields of a balance transaction
    *,
    kind: str,
    amount_minor: int,
    currency: str,
    source: str,
    description: str | None,
    fee_minor: int = 0,
    fee_description: str = PROCESSING,
    application_fee_minor: int = 0,
    reporting_category: str = "",
    is_available: bool = False,
    available_on: int | None = None,
) -> Body:
    """Store a balance transaction, in minor units of `currency`; positive amounts increase the balance.

    `available_on` is for money that becomes available together with other money.
    """
    moment = clock.now()
    due = moment if is_available else pending_until() if available_on is None else available_on
    movement = store.insert(
        {
            "id": identifiers.sibling_id("txn_3", source),
            "object": "balance_transaction",
            "amount": amount_minor,
            "available_on": due,
            "balance_type": "payments",
            "created": moment,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee_minor + application_fee_minor,
            "fee_details": _fee_details(application_fee_minor, fee_minor, fee_description, currency),
            "net": amount_minor - fee_minor - application_fee_minor,
            "reporting_category": reporting_category or kind,
            "source": source,
            "status": "available" if due <= moment else "pending",
            "type": kind,
            "_payout": None,
        }
    )
    if due > moment:
        schedule.schedule_once("make_available", str(due), at=due)
    elif movement["net"] > 0:
        call_funds_followers()
    return movement


def _fee_details(application_fee: int, stripe_fee: int, stripe_description: str, currency: str) -> list[Body]:
    parts = [
        ("application_fee", "application fee", application_fee, application_id()),
        ("stripe_fee", stripe_description, stripe_fee, None),
    ]
    return [
        {"amount": amount, "application": application, "currency": currency, "description": about, "type": kind}
        for kind, about, amount, application in parts
        if amount
    ]


def application_id() -> str:
    """The id of the platform's application, as connected accounts see it."""
    return "ca_" + options().account_id.removeprefix("acct_")


def acting_application() -> str | None:
    """The application that creates payments on the acting account: the platform on a connected one, otherwise None."""
    return None if store.acting_account() == options().account_id else application_id()


def own_account() -> Body:
    """The acting account's object."""
    return store.fetch("account", store.acting_account())


def pending_until() -> int:
    """When money received now becomes available: midnight UTC after the account's own delay in days."""
    days = own_account()["settings"]["payouts"]["schedule"].get("delay_days", PENDING_DAYS)
    return (clock.now() // DAY + int(days)) * DAY


def record_charge_income(charge: Body) -> Body:
    """Record the income of a captured charge, less fees, and set the charge's balance transaction."""
    is_card = charge["payment_method_details"]["type"] == "card"
    card = BY_NUMBER.get(charge.get("_number", ""))
    is_direct = acting_application() is not None and not charge.get("transfer_data")
    captured: int = charge["amount_captured"]
    bypasses_pending = bool(card and card.is_available_at_once)
    movement = record_movement(
        kind="charge" if is_card else "payment",
        reporting_category="charge",
        amount_minor=captured,
        currency=charge["currency"],
        source=charge["id"],
        description=charge["description"],
        fee_minor=_processing_fee(charge),
        application_fee_minor=min(charge.get("application_fee_amount") or 0, captured) if is_direct else 0,
        is_available=bypasses_pending,
    )
    if bypasses_pending:
        # As a step, so that its event follows those of the payment itself.
        schedule.schedule_once("emit_balance_available", store.acting_account(), at=clock.own_now())
    charge["balance_transaction"] = movement["id"]
    for follower in _income_followers:
        follower(charge)
    return movement


def _processing_fee(charge: Body) -> int:
    """Stripe's fee in minor units, by the country of the business that receives the payment."""
    captured: int = charge["amount_captured"]
    details = charge["payment_method_details"]
    if details["type"] != "card":
        return min(captured, BANK_DEBIT_FEE_MINOR)
    business = store.find("account", charge["on_behalf_of"]) if charge.get("on_behalf_of") else None
    country = (business or own_account())["country"]
    return card_fee(captured, account_country=country, card_country=details["card"]["country"])


@step("make_available")
def make_available(available_on: str) -> None:
    """Make funds that were pending until then available; emits one event."""
    due = store.rows("balance_transaction").filter(status="pending", available_on__lte=int(available_on))
    bodies = list(due.values_list("body", flat=True))
    for movement in bodies:
        store.save(movement | {"status": "available"})
    if bodies:
        emit("balance.available", current_balance(), is_automatic=True)
        call_funds_followers()


@step("emit_balance_available")
def emit_balance_available(_account: str) -> None:
    """Emit balance.available for money that was available immediately."""
    emit("balance.available", current_balance(), is_automatic=True)


def call_funds_followers() -> None:
    """Call the followers of available funds for the acting account."""
    for follower in _funds_followers:
        follower()


@step("settle_charge")
def settle_charge(charge_id: str) -> None:
    """Give a captured charge its balance transaction; emits charge.updated."""
    charge = store.fetch("charge", charge_id)
    if not charge["balance_transaction"] and charge["captured"]:
        settle(charge)


def settle(charge: Body) -> None:
    """Record a captured charge's income; emits charge.updated."""
    record_charge_income(charge)
    store.save(charge)
    previous = dict.fromkeys(("balance_transaction", "receipt_url"))
    previous |= dict.fromkeys(name for name in ("transfer", "application_fee") if charge.get(name))
    emit("charge.updated", charge, previous=previous, is_automatic=True)


def sums() -> dict[str, dict[str, int]]:
    """The acting account's balance in minor units, by status ("available", "pending") and currency."""
    totals: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
    # Balance transactions are never deleted, and a condition on `is_deleted` would not be in the index. Only they have
    # a net amount; with that condition SQLite uses the index made for these sums.
    own = StoredObject.objects.filter(kind="balance_transaction", account=store.acting_account(), net__isnull=False)
    by_status = own.values_list("status", "currency")
    for status, currency, total in by_status.annotate(total=Sum("net")):
        totals[status][currency] = total
    return totals


def available_minor(currency: str) -> int:
    """What the acting account can pay out or transfer now, in minor units; on the platform, less its reserves."""
    reserved = reserves_minor().get(currency, 0) if store.acting_account() == options().account_id else 0
    return sums()["available"].get(currency, 0) - reserved


def total_minor(currency: str) -> int:
    """The acting account's available and pending balance together, in minor units."""
    return sum(side.get(currency, 0) for side in sums().values())


def reserves_minor() -> dict[str, int]:
    """What the platform holds in reserve, in minor units by currency (docs: "The Balance object", `connect_reserved`).

    These are the negative balances of the connected accounts whose requirements it collects itself.
    """
    movements = StoredObject.objects.filter(kind="balance_transaction", net__isnull=False)
    movements = movements.exclude(account=options().account_id)
    by_account = movements.values_list("account", "currency").annotate(total=Sum("net"))
    reserved: dict[str, int] = {}
    for account_id, currency, total in by_account.filter(total__lt=0):
        account = store.find("account", account_id)
        if account and (account.get("controller") or {}).get("requirement_collection") == "application":
            reserved[currency] = reserved.get(currency, 0) - total
    return reserved


def current_balance() -> Body:
    """The acting account's balance object."""
    totals = sums()
    own_currency = own_account().get("default_currency") or default_currency(options().account_country)
    currencies = sorted(totals["available"] | totals["pending"]) or [own_currency]

    def side(name: str) -> list[Body]:
        amounts = ((currency, totals[name].get(currency, 0)) for currency in currencies)
        return [{"amount": a, "currency": c, "source_types": {"card": a}} for c, a in amounts]

    balance = {"object": "balance", "available": side("available"), "livemode": False, "pending": side("pending")}
    if store.acting_account() == options().account_id:
        reserved = reserves_minor()
        balance["connect_reserved"] = [{"amount": reserved.get(c, 0), "currency": c} for c in currencies]
    return balance
