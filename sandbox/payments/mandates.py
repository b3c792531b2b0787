"""Mandates: a buyer's permission to debit a bank account (docs: "The Mandate object")."""

from sandbox import clock, identifiers, store
from sandbox.store import Body

BANK_DEBITS = ("sepa_debit", "us_bank_account")
ONLINE: Body = {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "sandbox"}}


def create_mandate(method: Body, *, single_use: Body | None = None, acceptance: Body | None = None) -> Body | None:
    """Create a mandate for a bank account; None for methods that need none.

    `single_use` is the amount in minor units and the currency of the only debit that it permits.
    """
    kind = method["type"]
    if kind not in BANK_DEBITS:
        return None
    details: Body = {"us_bank_account": {}}
    if kind == "sepa_debit":
        reference = identifiers.token(16).upper()
        details = {"sepa_debit": {"reference": reference, "url": f"https://hooks.stripe.com/mandate/{reference}"}}
    # For an acceptance on paper, Stripe shows no further details.
    given: Body = {"accepted_at": clock.now(), "offline": {}} | ONLINE | (acceptance or {})
    usage = "single_use" if single_use else "multi_use"
    return store.insert(
        {
            "id": identifiers.new_id("mandate_1", 23),
            "object": "mandate",
            "customer_acceptance": {name: given[name] for name in ("accepted_at", "type", given["type"])},
            "livemode": False,
            "payment_method": method["id"],
            "payment_method_details": details | {"type": kind},
            "status": "active",
            "type": usage,
            usage: single_use or {},
        }
    )
