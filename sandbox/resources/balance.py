"""The balance and its payout settings (docs: "The Balance object", "Balance settings")."""

from sandbox.connect.accounts import changing, write_payout_schedule
from sandbox.payments.balance import PENDING_DAYS, current_balance, own_account
from sandbox.protocol.published import published
from sandbox.protocol.routing import Call, route
from sandbox.store import Body


@route("GET", "/v1/balance", published("BalanceRetrieveParams"))
def retrieve(_: Call) -> Body:
    return current_balance()


@route("GET", "/v1/balance_settings", published("BalanceSettingsRetrieveParams"))
def retrieve_settings(_: Call) -> Body:
    return _settings(own_account())


@route(
    "POST",
    "/v1/balance_settings",
    published(
        "BalanceSettingsUpdateParams",
        "payments.debit_negative_balances",
        "payments.payouts.schedule",
        "payments.payouts.statement_descriptor",
        "payments.settlement_timing.delay_days_override",
    ),
)
def update_settings(call: Call) -> Body:
    given = call.get("payments") or {}
    with changing(own_account()["id"]) as account:
        payouts = account["settings"]["payouts"]
        if "debit_negative_balances" in given:
            payouts["debit_negative_balances"] = given["debit_negative_balances"]
        change = given.get("payouts") or {}
        if "statement_descriptor" in change:
            payouts["statement_descriptor"] = change["statement_descriptor"]
        timing = given.get("settlement_timing") or {}
        schedule = dict(change.get("schedule") or {})
        if "delay_days_override" in timing:
            schedule["delay_days"] = timing["delay_days_override"] or PENDING_DAYS
        if schedule:
            write_payout_schedule(account, schedule)
    return _settings(account)


def _settings(account: Body) -> Body:
    payouts = account["settings"]["payouts"]
    stored = payouts["schedule"]
    schedule = {"interval": stored["interval"]}
    schedule |= {name: stored[name] for name in ("weekly_payout_days", "monthly_payout_days") if name in stored}
    delay = stored["delay_days"]
    return {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": payouts["debit_negative_balances"],
            "payouts": {
                "minimum_balance_by_currency": None,
                "schedule": schedule,
                "statement_descriptor": payouts["statement_descriptor"],
                "status": "enabled" if account["payouts_enabled"] else "disabled",
            },
            "settlement_timing": {"delay_days": delay},
        },
    }
