"""Creating, changing, verifying and rejecting connected accounts (docs: "The Account object")."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox import clock, identifiers, schedule, store
from sandbox.connect.account_shapes import CONTROLLERS, blank_account, empty_company, no_requirements
from sandbox.connect.differences import difference, merged
from sandbox.connect.external_accounts import add_bank, bank_accounts_of, has_working_bank, read_bank
from sandbox.connect.people import create_person, individual_of, update_person
from sandbox.connect.requirements import assess, is_platform
from sandbox.options import options
from sandbox.payments.balance import application_id, call_funds_followers, own_account, sums
from sandbox.protocol.listing import as_list
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.resource import presented
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

# The default capabilities of accounts with a Stripe dashboard.
_USUAL_CAPABILITIES = ("card_payments", "transfers")
# The step of automatic payouts; sandbox.connect.payout_schedule performs it.
PAYOUT_RUN = "pay_out_automatically"
_PLAIN = ("business_type", "email", "default_currency")
_MERGED = ("business_profile", "tos_acceptance")


def create_account(*, kind: str, controller: Body, country: str, fields: Body) -> Body:
    """A stored account with all data from the platform; what is missing becomes its requirements."""
    account: Body = {
        "id": identifiers.new_id("acct_1", 15),
        **blank_account(country=country, created=clock.now()),
        "controller": {"type": "application", "is_controller": True} | copy.deepcopy(controller),
        "type": kind,
        "_company": empty_company(),
        "_requested": {},
        "_is_identity_hidden": False,
        "_is_submitted": False,
        "_is_verified": False,
        "_is_in_review": False,
        "_more": [],
        "_rejected": None,
    }
    store.insert(account)
    _write(account, fields)
    if not fields.get("capabilities") and controller["stripe_dashboard"]["type"] != "none":
        account["_requested"] = dict.fromkeys(_USUAL_CAPABILITIES, clock.now())
    _settle(account)
    return account


def update_account(account: Body, fields: Body) -> Body:
    """Change an account; emits account.updated and capability.updated where they changed."""
    with changing(account["id"]) as current:
        _write(current, fields)
    return current


def _write(account: Body, fields: Body) -> None:
    account |= {name: fields[name] for name in _PLAIN if name in fields}
    for name in _MERGED:
        if name in fields:
            account[name] = merged(account[name], fields[name])
    if "metadata" in fields:
        account["metadata"] = merge_metadata(account["metadata"], fields["metadata"])
    for name, capability in (fields.get("capabilities") or {}).items():
        request_capability(account, name, is_requested=capability.get("requested", False))
    _write_settings(account, fields.get("settings") or {})
    _write_company(account, fields.get("company") or {})
    if fields.get("individual"):
        person = individual_of(account["id"])
        if person:
            update_person(person, fields["individual"])
        else:
            create_person(account["id"], fields["individual"], is_individual=True)
    if fields.get("external_account"):
        details = read_bank(fields["external_account"])
        add_bank(account["id"], details, is_default=True)


def _write_settings(account: Body, given: Body) -> None:
    change = copy.deepcopy(given)
    schedule_asked = (change.get("payouts") or {}).pop("schedule", None)
    account["settings"] = merged(account["settings"], change)
    if schedule_asked:
        write_payout_schedule(account, schedule_asked)


def write_payout_schedule(account: Body, change: Body) -> None:
    """Set the schedule of automatic payouts; settings of another interval are dropped."""
    current = account["settings"]["payouts"]["schedule"] | change
    if current["delay_days"] == "minimum":
        current["delay_days"] = 2
    interval = current["interval"]
    if interval == "weekly":
        current["weekly_payout_days"] = change.get("weekly_payout_days") or [current.get("weekly_anchor") or "monday"]
        current["weekly_anchor"] = current["weekly_payout_days"][0]
    elif interval == "monthly":
        current["monthly_payout_days"] = change.get("monthly_payout_days") or [current.get("monthly_anchor") or 1]
        current["monthly_anchor"] = current["monthly_payout_days"][0]
    for name in ("weekly_anchor", "weekly_payout_days", "monthly_anchor", "monthly_payout_days"):
        if not name.startswith(interval):
            current.pop(name, None)
    account["settings"]["payouts"]["schedule"] = current


def _write_company(account: Body, given: Body) -> None:
    change = dict(given)
    for secret in ("tax_id", "vat_id", "registration_number"):
        if change.pop(secret, None):
            change[f"{secret}_provided"] = True
    change.pop("registration_number_provided", None)
    if change:
        account["_company"] = merged(account["_company"], change)


def request_capability(account: Body, name: str, *, is_requested: bool) -> None:
    """Record that a capability is requested, or no longer."""
    if is_requested:
        account["_requested"].setdefault(name, clock.now())
    else:
        account["_requested"].pop(name, None)


def capability_of(account: Body, name: str) -> Body:
    """A capability as a separate object."""
    requested_at = account.get("_requested", dict.fromkeys(account["capabilities"])).get(name)
    is_requested = name in account["capabilities"]
    inactive = is_requested and account["capabilities"][name] != "active"
    requirements = copy.deepcopy(account["requirements"]) if inactive else no_requirements()
    if inactive:
        pending = bool(requirements["pending_verification"])
        requirements["disabled_reason"] = "pending.review" if pending else "requirements.fields_needed"
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": no_requirements(),
        "requested": is_requested,
        "requested_at": requested_at,
        "requirements": requirements,
        "status": account["capabilities"].get(name, "unrequested"),
    }


@contextmanager
def changing(account_id: str, *, is_automatic: bool = False) -> Iterator[Body]:
    """Change an account, its persons or bank accounts in the block; consequences are stored and emitted after it."""
    account = store.find_anywhere("account", account_id)
    if account is None:
        raise store.NotStored(account_id)
    before = copy.deepcopy(presented(account))
    capabilities = _capabilities(account)
    yield account
    _settle(account)
    with store.acting_for(account_id):
        for name, now in _capabilities(account).items():
            previous = difference(capabilities.get(name, {}), now)
            if {"status", "requested"} & previous.keys():
                emit("capability.updated", now, previous=previous, is_automatic=is_automatic)
        previous = difference(before, presented(account))
        if previous:
            emit("account.updated", account, previous=previous, is_automatic=is_automatic)
        if {"external_accounts", "payouts_enabled", "settings"} & previous.keys():
            replan_payouts(account_id)


def replan_payouts(account_id: str) -> None:
    """Let automatic payouts follow a changed schedule or bank account."""
    with store.acting_for(account_id):
        schedule.unschedule(PAYOUT_RUN, account_id)
        if any(amount > 0 for amount in sums()["available"].values()):
            call_funds_followers()


def _capabilities(account: Body) -> dict[str, Body]:
    return {name: capability_of(account, name) for name in account["capabilities"]}


def _settle(account: Body) -> None:
    """Update requirements and capabilities, and schedule the verification of submitted data."""
    write_bank_list(account)
    _show_identity(account)
    if not is_platform(account):
        assess(account, has_bank=has_working_bank(account["id"]))
        if account["requirements"]["pending_verification"] and not account["_is_in_review"]:
            at = clock.own_now() + options().settle_delay
            with store.acting_for(None):
                schedule.schedule_once("verify_account", account["id"], at=at)
    store.save(account)


def write_bank_list(account: Body) -> None:
    """Show an account's bank accounts inside it."""
    items = [presented(bank) for bank in bank_accounts_of(account["id"])]
    url = f"/v1/accounts/{account['id']}/external_accounts"
    account["external_accounts"] = as_list(items, url=url) | {"total_count": len(items)}


def _show_identity(account: Body) -> None:
    """Show the person behind an account while the platform may read it (docs: "The Account object", `individual`)."""
    account.pop("individual", None)
    account.pop("company", None)
    if is_platform(account) or account["_is_identity_hidden"]:
        return
    person = individual_of(account["id"])
    if person:
        account["individual"] = presented(person)
    account["company"] = account["_company"]


@step("verify_account")
def verify_account(account_id: str) -> None:
    """Accept the submitted data, as Stripe does after a review."""
    account = store.find_anywhere("account", account_id)
    if account and not account.get("deleted") and not account["_is_in_review"]:
        with changing(account_id, is_automatic=True) as current:
            mark_verified(current)


def mark_verified(account: Body) -> None:
    """Record that nothing is left to verify."""
    account |= {"_is_verified": True, "_is_in_review": False}
    person = individual_of(account["id"])
    if person and person["verification"]["status"] != "verified":
        update_person(person, {"verification": {"status": "verified"}}, is_automatic=True)


def reject_account(account: Body, reason: str) -> Body:
    """Reject an account for good: nothing can be charged or paid out."""
    with changing(account["id"]) as current:
        current["_rejected"] = reason
    return current


def delete_account(account: Body) -> Body:
    """Delete an account; its past transactions with others remain. Emits account.application.deauthorized."""
    schedule.unschedule("verify_account", account["id"])
    name = own_account()["settings"]["dashboard"]["display_name"]
    application = {"id": application_id(), "object": "application", "name": name}
    with store.acting_for(account["id"]):
        emit("account.application.deauthorized", application)
    return store.mark_deleted(account)


def find_connected(account_id: str) -> Body | None:
    """A connected account that is not deleted, or None."""
    account = store.find("account", account_id)
    is_other = account is None or account.get("deleted") or is_platform(account)
    return None if is_other else account


def controller_for(kind: str | None, given: dict[str, Any] | None) -> Body:
    """The controller settings, from an older type or from the parameters."""
    if kind:
        return CONTROLLERS[kind]
    return merged(CONTROLLERS["standard"], given or {})
