"""Onboarding: the links to the form for an account's owner, and the handling of the submitted form.

Docs: "Account Links", "Stripe-hosted onboarding".
"""

import copy

from sandbox import clock, identifiers, store
from sandbox.connect.accounts import changing, mark_verified
from sandbox.connect.differences import merged
from sandbox.connect.external_accounts import ERRORED, add_bank, bank_accounts_of, read_bank, update_bank
from sandbox.connect.people import create_person, individual_of, people_of, update_person
from sandbox.connect.published_banks import PAYS_OUT, ROUTING_NUMBER
from sandbox.connect.requirements import DOCUMENT, is_collected_by_stripe
from sandbox.options import options
from sandbox.payments.fees import default_currency
from sandbox.store import Body

LINK_SECONDS = 300
SUBMIT, REVIEW, MORE, LEAVE = "submit", "review", "require_more", "leave"
_ADDRESS = {"city": "Springfield", "country": None, "line1": "1 Sandbox Street", "postal_code": "62701", "state": "IL"}
_PERSON: Body = {
    "dob": {"day": 1, "month": 1, "year": 1980},
    "email": "owner@example.com",
    "first_name": "Sam",
    "last_name": "Sandbox",
    "phone": "+15555550100",
    "ssn_last_4": "0000",
}


def create_link(account: Body, *, kind: str, return_url: str, refresh_url: str) -> Body:
    """A link that works once, within five minutes."""
    token = identifiers.token(16)
    hosted = f"{options().public_url}/setup/e/{account['id']}/{token}"
    link: Body = {
        "object": "account_link",
        "created": clock.now(),
        "expires_at": clock.now() + LINK_SECONDS,
        "url": hosted,
    }
    notes = {"account": account["id"], "kind": kind, "refresh_url": refresh_url, "return_url": return_url}
    with store.acting_for(None):
        store.insert({"id": f"link_{token}", **link, **notes, "is_used": False, "form": None})
    if is_collected_by_stripe(account):
        # From here on only Stripe, not the platform, reads the owner's data (docs: "The Account object", `individual`).
        with changing(account["id"]) as current:
            current["_is_identity_hidden"] = True
    return link


def open_link(account_id: str, token: str) -> tuple[Body | None, str | None]:
    """The link at an address and the token of the form it opens; no form if it was used already or has expired."""
    with store.acting_for(None):
        link = store.find("account_link", f"link_{token}")
        if link is None or link["account"] != account_id:
            return None, None
        if link["is_used"] or clock.now() >= link["expires_at"]:
            return link, None
        link |= {"is_used": True, "form": identifiers.token(16)}
        store.save(link)
        store.insert({"id": f"form_{link['form']}", "object": "onboarding_form", "link": link["id"], "is_done": False})
    return link, link["form"]


def link_of_form(account_id: str, form: str) -> Body | None:
    """The link that a form was opened from."""
    with store.acting_for(None):
        found = store.find("onboarding_form", f"form_{form}")
        link = store.find("account_link", found["link"]) if found else None
    return link if link and link["account"] == account_id else None


def submit_form(account_id: str, filled: Body, *, outcome: str = SUBMIT) -> Body:
    """Store the submitted data. `outcome`: verified seconds later, kept under review, or more is required."""
    with changing(account_id) as account:
        _fill_in(account, filled)
        account |= {"_is_submitted": True, "_is_in_review": outcome == REVIEW, "_more": []}
        if outcome == MORE:
            account["_more"] = [_document(account)]
    return account


def _fill_in(account: Body, filled: Body) -> None:
    """Fill in everything the form asks for; empty fields get invented values."""
    account["business_type"] = filled.get("business_type") or account["business_type"] or "individual"
    profile = account["business_profile"]
    account["business_profile"] = profile | {
        "mcc": profile["mcc"] or "8299",
        "name": filled.get("business_name") or profile["name"],
        "url": profile["url"] or filled.get("url") or "https://accessible.stripe.com",
    }
    account["email"] = account["email"] or filled.get("email")
    account["tos_acceptance"] = account["tos_acceptance"] | {"date": clock.now()}
    is_individual = account["business_type"] == "individual"
    if not is_individual:
        company = {
            "name": filled.get("business_name") or "Sandbox Ltd",
            "phone": _PERSON["phone"],
            "tax_id_provided": True,
        }
        account["_company"] = merged(account["_company"], company | {"address": _address(account)})
    _fill_in_person(account, filled, is_individual=is_individual)
    _fill_in_bank(account, filled)


def _address(account: Body) -> Body:
    return _ADDRESS | {"country": account["country"]}


def _fill_in_person(account: Body, filled: Body, *, is_individual: bool) -> None:
    names = {name: filled[name] for name in ("first_name", "last_name", "email") if filled.get(name)}
    person = individual_of(account["id"])
    if person is None and not is_individual:
        person = next((p for p in people_of(account["id"]) if p["relationship"]["representative"]), None)
    if person:
        missing = {key: value for key, value in _PERSON.items() if key in person and not person[key]}
        update_person(person, missing | names)
        return
    given = copy.deepcopy(_PERSON) | names | {"address": _address(account)}
    given["relationship"] = {"representative": True}
    create_person(account["id"], given, is_individual=is_individual)


def _fill_in_bank(account: Body, filled: Body) -> None:
    number = filled.get("account_number")
    banks = bank_accounts_of(account["id"])
    if number is None and any(bank["status"] != ERRORED for bank in banks):
        return
    if number is None and banks:
        update_bank(banks[0], {"status": "new"})
        return
    country = account["country"]
    details = {
        "account_holder_name": "Sam Sandbox",
        "account_holder_type": "company" if account["business_type"] == "company" else "individual",
        "account_number": number or PAYS_OUT,
        "country": country,
        "currency": default_currency(country),
        "routing_number": ROUTING_NUMBER if country == "US" else None,
    }
    add_bank(account["id"], read_bank(details), is_default=True)


def _document(account: Body) -> str:
    return DOCUMENT if account["business_type"] == "individual" else "company.verification.document"


def complete_onboarding(account: Body) -> Body:
    """Do at once what a submitted and verified form leads to: the account can charge and be paid out."""
    with changing(account["id"]) as current:
        _fill_in(current, {})
        current |= {"_is_submitted": True, "_more": [], "_rejected": None}
        mark_verified(current)
    return current


def restrict_account(account: Body) -> Body:
    """Require a document after all: until it is provided, nothing can be charged or paid out."""
    with changing(account["id"], is_automatic=True) as current:
        current["_more"] = [_document(current)]
    return current
