"""What is still required of a connected account, and what it may therefore do (docs: "Handling verification").

The sandbox's notes on the account decide: `_requested` capabilities, `_is_submitted` (the hosted form was sent),
`_is_verified`, `_more` (what was required afterwards), `_rejected` (why it was rejected).
"""

from sandbox.connect.account_shapes import no_requirements
from sandbox.connect.people import individual_of, people_of
from sandbox.store import Body

_PERSON = ("dob.day", "dob.month", "dob.year", "email", "first_name", "last_name", "phone")
_ADDRESS = ("address.city", "address.line1", "address.postal_code")
_OFFERED_TO_US = ("address.state",)
_COMPANY = ("name", "phone", "tax_id")
DOCUMENT = "individual.verification.document"
# If missing, it blocks only payouts.
BANK = "external_account"


def is_collected_by_stripe(account: Body) -> bool:
    """Whether only Stripe's own pages may ask the account's owner, and accept the terms."""
    return bool(account["controller"].get("requirement_collection") == "stripe")


def is_platform(account: Body) -> bool:
    return bool(account["controller"]["type"] == "account")


def _known(body: Body | None, path: str) -> bool:
    value: object = body or {}
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value not in (None, "", False)


def _individual_due(account: Body) -> list[str]:
    person = individual_of(account["id"])
    is_american = account["country"] == "US"
    fields = (*_PERSON, *_ADDRESS, *(_OFFERED_TO_US if is_american else ()))
    due = [f"individual.{field}" for field in fields if not _known(person, field)]
    if is_american and not (_known(person, "ssn_last_4_provided") or _known(person, "id_number_provided")):
        due.append("individual.ssn_last_4")
    return due


def _company_due(account: Body) -> list[str]:
    company = account.get("_company") or {}
    is_american = account["country"] == "US"
    fields = (*_COMPANY, *_ADDRESS, *(_OFFERED_TO_US if is_american else ()))
    due = [
        f"company.{field}"
        for field in fields
        if not _known(company, field) and not _known(company, f"{field}_provided")
    ]
    people = people_of(account["id"])
    leader = next((person for person in people if person["relationship"]["representative"]), None)
    due += [f"representative.{field}" for field in ("email", "first_name", "last_name") if not _known(leader, field)]
    return due


def _form_due(account: Body) -> list[str]:
    """What the first form asks for, except for data the platform has already provided."""
    due = [] if account["business_type"] else ["business_type"]
    profile = account["business_profile"]
    if not profile["mcc"]:
        due.append("business_profile.mcc")
    if not (profile["url"] or profile["product_description"]):
        due.append("business_profile.url")
    due += _company_due(account) if account["business_type"] in _COMPANIES else _individual_due(account)
    due += [f"tos_acceptance.{field}" for field in ("date", "ip") if not account["tos_acceptance"][field]]
    return due


_COMPANIES = ("company", "government_entity", "non_profit")


def due_now(account: Body, *, has_bank: bool) -> list[str]:
    """Everything required of the account now, in alphabetical order as at Stripe."""
    due = list(account["_more"])
    if not account["_is_submitted"]:
        due += _form_due(account)
    if not has_bank:
        due.append(BANK)
    return sorted(due)


def assess(account: Body, *, has_bank: bool) -> None:
    """Update the account's requirements, capabilities and enabled flags."""
    due = due_now(account, has_bank=has_bank)
    blocking = [name for name in due if name != BANK or not account["details_submitted"]]
    pending = _pending(account, blocking)
    requirements = no_requirements()
    requirements |= {"currently_due": due, "eventually_due": list(due), "pending_verification": pending}
    if account["_rejected"]:
        requirements |= {
            "currently_due": [],
            "disabled_reason": f"rejected.{account['_rejected']}",
            "eventually_due": [],
        }
    elif blocking:
        requirements |= {"disabled_reason": "requirements.past_due", "past_due": sorted(account["_more"])}
    elif pending:
        requirements["disabled_reason"] = "requirements.pending_verification"
    is_enabled = requirements["disabled_reason"] is None
    account["requirements"] = requirements
    if not blocking and not account["_rejected"]:
        account["details_submitted"] = True
    status = "active" if is_enabled else "pending" if pending and not account["_rejected"] else "inactive"
    account["capabilities"] = dict.fromkeys(sorted(account["_requested"]), status)
    account["charges_enabled"] = is_enabled and bool(account["_requested"])
    account["payouts_enabled"] = is_enabled and has_bank


def _pending(account: Body, blocking: list[str]) -> list[str]:
    """What is being verified: the submitted form, until it is accepted."""
    if blocking or account["_is_verified"]:
        return []
    return [DOCUMENT if account["business_type"] not in _COMPANIES else "company.verification.document"]
