"""How a payment is shared between a platform and a connected account, and how a refund undoes that.

A destination charge belongs to the platform and transfers all or part of it; a direct charge belongs to the connected
account and the platform takes a fee (docs: "Create destination charges", "Create direct charges").
"""

from typing import Any

from sandbox import store
from sandbox.connect.application_fees import create_fee, refund_fee, share_of_fee
from sandbox.connect.reversals import reverse_transfer
from sandbox.connect.transfers import create_transfer
from sandbox.payments.balance import acting_application, application_id, on_charge_income, settle
from sandbox.payments.refunds import on_connected_refund
from sandbox.protocol.errors import ApiError
from sandbox.store import Body


@on_charge_income
def share_income(charge: Body) -> None:
    """Transfer a destination charge's share, or take a direct charge's fee; records either on the charge."""
    if charge.get("transfer_data"):
        _send_on(charge)
    elif charge.get("application_fee_amount") and acting_application():
        fee = create_fee(
            account=store.acting_account(),
            charge=charge,
            amount=min(charge["application_fee_amount"], charge["amount_captured"]),
            available_on=_available_on(charge),
            originating=None,
        )
        charge["application_fee"] = fee["id"]


def _available_on(charge: Body) -> int:
    return int(store.fetch("balance_transaction", charge["balance_transaction"])["available_on"])


def _send_on(charge: Body) -> None:
    destination = charge["transfer_data"]["destination"]
    account = store.find("account", destination)
    if account is None or account.get("deleted"):
        return
    captured = charge["amount_captured"]
    amount = min(charge["transfer_data"].get("amount") or captured, captured)
    fee_minor = min(charge.get("application_fee_amount") or 0, amount)
    transfer = create_transfer(
        amount=amount,
        currency=charge["currency"],
        destination=destination,
        source=charge,
        application_fee_minor=fee_minor,
    )
    charge["transfer"] = transfer["id"]
    if not fee_minor:
        return
    payment = store.find_anywhere("charge", transfer["destination_payment"])
    assert payment  # noqa: S101 -- the transfer has just made it
    fee = create_fee(
        account=destination,
        charge=payment,
        amount=fee_minor,
        available_on=_available_on(charge),
        originating=charge["id"],
    )
    charge["application_fee"] = fee["id"]
    store.save(payment | {"application": application_id(), "application_fee": fee["id"]})


@on_connected_refund
def return_share(charge: Body, refund: Body, is_transfer_reversed: bool, is_fee_refunded: bool) -> None:
    """Reverse the transfer and refund the fee, each in proportion to the refund."""
    if not charge["balance_transaction"] and charge["captured"]:
        settle(charge)
    share: dict[str, Any] = {"part": refund["amount"], "whole": charge["amount"]}
    if is_transfer_reversed:
        _reverse(charge, refund)
    if is_fee_refunded:
        with store.acting_for(None):
            fee = store.find("application_fee", charge.get("application_fee") or "")
            if fee is None:
                raise _nothing_to_return("refund_application_fee", "application fee", charge)
            amount = share_of_fee(fee, **share)
            if amount:
                refund_fee(fee, amount=amount, metadata={})


def _reverse(charge: Body, refund: Body) -> None:
    transfer = store.find("transfer", charge.get("transfer") or "")
    if transfer is None:
        raise _nothing_to_return("reverse_transfer", "transfer", charge)
    remaining = transfer["amount"] - transfer["amount_reversed"]
    is_last = charge["amount_refunded"] + refund["amount"] == charge["amount"]
    wanted = remaining if is_last else min(remaining, transfer["amount"] * refund["amount"] // charge["amount"])
    if wanted:
        reversal = reverse_transfer(transfer, amount=wanted, source_refund=refund["id"])
        store.save(refund | {"transfer_reversal": reversal["id"]})
        refund["transfer_reversal"] = reversal["id"]


def _nothing_to_return(param: str, what: str, charge: Body) -> ApiError:
    return ApiError(f"Charge {charge['id']} has no {what}, so `{param}` cannot be set.", param=param, is_executed=True)
