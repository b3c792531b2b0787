"""Connected accounts and payments for tests of Connect."""

from typing import Any

DAY = 24 * 3600
BANK = {"object": "bank_account", "country": "US", "currency": "usd", "routing_number": "110000000"}
PERSON: dict[str, Any] = {
    "first_name": "Ada",
    "last_name": "Byron",
    "email": "ada@example.org",
    "phone": "+15555550101",
    "dob": {"day": 10, "month": 12, "year": 1985},
    "address": {
        "line1": "1 Main Street",
        "city": "Springfield",
        "state": "IL",
        "postal_code": "62701",
        "country": "US",
    },
    "ssn_last_4": "0000",
}


def bank(number="000123456789", **changes):
    return {"external_account": BANK | {"account_number": number} | changes}


def express(client, **changes):
    parameters = {"type": "express", "country": "US", "email": "teacher@example.org"}
    return client.v1.accounts.create(parameters | {"capabilities": {"transfers": {"requested": True}}} | changes)


def custom(client, *, number="000123456789", interval="manual", **changes):
    """An account for which the platform submits all requirements; payouts are manual by default."""
    parameters = {
        "type": "custom",
        "country": "US",
        "email": "ada@example.org",
        "business_type": "individual",
        "business_profile": {"mcc": "8299", "url": "https://ada.example.org"},
        "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
        "individual": PERSON,
        "settings": {"payouts": {"schedule": {"interval": interval}}},
        "tos_acceptance": {"date": 1790000000, "ip": "192.0.2.1"},
        **bank(number),
    }
    return client.v1.accounts.create(parameters | changes)


def enabled(sandbox, client, **changes):
    """An account that can be paid."""
    account = custom(client, **changes)
    sandbox.advance(3)
    return account


def of(account):
    """Request options for a call that acts for an account."""
    return {"stripe_account": account.id}


def charge(client, amount=2000, *, method="pm_card_bypassPending", options=None, **changes):
    """A paid intent; with the default card, its money is available immediately."""
    parameters = {
        "amount": amount,
        "currency": "usd",
        "payment_method": method,
        "confirm": True,
        "capture_method": "automatic",
    }
    parameters["automatic_payment_methods"] = {"enabled": True, "allow_redirects": "never"}
    return client.v1.payment_intents.create(parameters | changes, options)


def events(client, account=None, **filters):
    """Events of an account or the platform, oldest first."""
    return client.v1.events.list({"limit": 100, **filters}, of(account) if account else None).data[::-1]


def types(client, account=None):
    return [event.type for event in events(client, account)]


def funds(client, account=None):
    """Available and pending dollars of an account or the platform, in cents."""
    balance = client.v1.balance.retrieve(None, of(account) if account else None)
    return balance.available[0].amount, balance.pending[0].amount
