"""Automatic payouts: everything available, on the days an account's schedule names (docs: "Payout schedule").

Nothing is planned for an account without money: the next run is set when funds become available.
"""

from datetime import UTC, datetime

from sandbox import clock, schedule, store
from sandbox.connect.accounts import PAYOUT_RUN
from sandbox.connect.external_accounts import ERRORED, default_bank
from sandbox.connect.payouts import create_payout
from sandbox.payments.balance import DAY, on_available_funds, sums
from sandbox.schedule import step
from sandbox.store import Body

# Shortly after midnight, when the day's funds have become available.
HOUR_OF_RUN = 1
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_WAIT_DAYS = 62


@on_available_funds
def plan_run() -> None:
    """Schedule the acting account's next automatic payout, unless one is scheduled or payouts are manual."""
    account = store.fetch("account", store.acting_account())
    if account.get("deleted"):
        return
    at = next_run(account["settings"]["payouts"]["schedule"], clock.now())
    if at is not None:
        schedule.schedule_once(PAYOUT_RUN, account["id"], at=at)


def next_run(payout_schedule: Body, moment: int) -> int | None:
    """The next automatic payout of a schedule after a moment; None for manual payouts."""
    today = moment // DAY
    for day in range(today, today + LONGEST_WAIT_DAYS):
        at = day * DAY + HOUR_OF_RUN * 3600
        if at > moment and _is_payout_day(payout_schedule, datetime.fromtimestamp(at, UTC)):
            return at
    return None


def _is_payout_day(payout_schedule: Body, day: datetime) -> bool:
    if payout_schedule["interval"] == "daily":
        return True
    if payout_schedule["interval"] == "weekly":
        return WEEKDAYS[day.weekday()] in payout_schedule["weekly_payout_days"]
    if payout_schedule["interval"] == "monthly":
        return day.day in _days_of_month(payout_schedule["monthly_payout_days"], day)
    return False


def _days_of_month(numbers: list[int], day: datetime) -> set[int]:
    """The schedule's days in this month: the 31st becomes the last day of a shorter one."""
    following = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    last = (following - datetime(day.year, day.month, 1, tzinfo=UTC)).days
    return {min(number, last) for number in numbers}


@step(PAYOUT_RUN)
def pay_out_automatically(account_id: str) -> None:
    """Pay out everything available, per currency, where there is a bank account for it."""
    account = store.fetch("account", account_id)
    if account.get("deleted") or not account["payouts_enabled"]:
        return
    if account["settings"]["payouts"]["schedule"]["interval"] == "manual":
        return
    for currency, available in sorted(sums()["available"].items()):
        bank = default_bank(account_id, currency)
        if available > 0 and bank and bank["status"] != ERRORED:
            payout = create_payout(amount=available, currency=currency, is_automatic=True)
            _mark_paid_out(payout)


def _mark_paid_out(payout: Body) -> None:
    """Record the payout on every movement it pays out, so that it can be reconciled with the bank statement."""
    waiting = store.rows("balance_transaction").filter(status="available", currency=payout["currency"], payout=None)
    for movement in waiting.values_list("body", flat=True).iterator():
        store.save(movement | {"_payout": payout["id"]})
