"""The balance, and how it is paid out (docs: "The Balance object", "Balance settings")."""

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
    asked = call.get("payments") or {}
    with changing(own_account()["id"]) as account:
        payouts = account["settings"]["payouts"]
        if "debit_negative_balances" in asked:
            payouts["debit_negative_balances"] = asked["debit_negative_balances"]
        given = asked.get("payouts") or {}
        if "statement_descriptor" in given:
            payouts["statement_descriptor"] = given["statement_descriptor"]
        timing = asked.get("settlement_timing") or {}
        wanted = dict(given.get("schedule") or {})
        if "delay_days_override" in timing:
            wanted["delay_days"] = timing["delay_days_override"] or PENDING_DAYS
        if wanted:
            write_payout_schedule(account, wanted)
    return _settings(account)


def _settings(account: Body) -> Body:
    payouts = account["settings"]["payouts"]
    asked = payouts["schedule"]
    schedule = {"interval": asked["interval"]}
    schedule |= {name: asked[name] for name in ("weekly_payout_days", "monthly_payout_days") if name in asked}
    delay = asked["delay_days"]
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
