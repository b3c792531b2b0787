"""Checks of a payment's parameters for sharing with a connected account, before anything is created."""

from sandbox import store
from sandbox.connect.transfers import check_destination
from sandbox.options import options
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body


def check_share(parameters: Body, *, amount: int | None = None, within: str = "") -> None:
    """Raises Stripe's 400 for a share that is impossible. `within` names the hash these parameters were sent in."""
    transfer_data = parameters.get("transfer_data") or {}
    if transfer_data and not transfer_data.get("destination"):
        raise missing_parameter(_named(within, "transfer_data") + "[destination]")
    destination, fee = transfer_data.get("destination"), parameters.get("application_fee_amount")
    if destination:
        check_destination(destination, param=_named(within, "transfer_data") + "[destination]")
    if parameters.get("on_behalf_of"):
        fetch_from_parameter("account", parameters["on_behalf_of"], param=_named(within, "on_behalf_of"))
    if fee is None:
        _check_part(transfer_data.get("amount"), amount, _named(within, "transfer_data") + "[amount]")
        return
    param = _named(within, "application_fee_amount")
    if not destination and store.acting_account() == options().account_id:
        raise ApiError(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an "
            "OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
            param=param,
        )
    if transfer_data.get("amount") is not None:
        raise ApiError(
            "You may not provide the application_fee_amount parameter and the transfer_data[amount] parameter "
            "simultaneously. They are mutually exclusive.",
            param=param,
        )
    _check_part(fee, amount, param)


def _named(within: str, name: str) -> str:
    return f"{within}[{name}]" if within else name


def _check_part(part: int | None, whole: int | None, param: str) -> None:
    if part is None:
        return
    if part < 0:
        raise ApiError("This value must be greater than or equal to 0.", code="parameter_invalid_integer", param=param)
    if whole is not None and part > whole:
        name = param.rpartition("[")[2].rstrip("]")
        raise ApiError(f"The {name} cannot be larger than the amount of the PaymentIntent.", param=param)
