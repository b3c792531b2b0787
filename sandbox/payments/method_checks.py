"""Whether a payment method may be used with an intent: its type, its customer, and earlier use."""

from sandbox.protocol.errors import ApiError
from sandbox.store import Body

_NAMES = {"payment_intent": "PaymentIntent", "setup_intent": "SetupIntent"}


def check_method(intent: Body, method: Body) -> None:
    """Raise Stripe's 400 for a method that this intent does not allow."""
    check_owner(intent["object"], intent["customer"], method)
    name = _NAMES[intent["object"]]
    if method["type"] not in intent["payment_method_types"]:
        allowed = ", ".join(intent["payment_method_types"])
        raise ApiError(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this {name}. Please attach a "
            f"PaymentMethod of one of the following types: {allowed}.",
            param="payment_method",
        )
    check_fresh(method)


def check_fresh(method: Body) -> None:
    """Raise Stripe's 400 if a method without a customer was used before."""
    if method.get("_is_used_up"):
        raise ApiError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may not be "
            "used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.",
            param="payment_method",
        )


def check_owner(kind: str, customer: str | None, method: Body) -> None:
    """Raise Stripe's 400 if a method is attached to another customer than the intent's."""
    owner, method_id = method["customer"], method["id"]
    if owner is None or owner == customer:
        return
    if customer:
        message = (
            f"The PaymentMethod {method_id} does not belong to the Customer you supplied {customer}. Please use this "
            "PaymentMethod with the Customer that it belongs to instead."
        )
    else:
        supplied = (
            f"The payment method supplied ({method_id})"
            if kind == "setup_intent"
            else f"The `payment_method` parameter supplied {method_id}"
        )
        message = (
            f"{supplied} belongs to the Customer {owner}. Please include the Customer in the `customer` parameter on "
            f"the {_NAMES[kind]}."
        )
    raise ApiError(message, param="payment_method")
