"""The fields of an account and their initial values (docs: "The Account object")."""

from sandbox.payments.fees import default_currency
from sandbox.payments.methods import EMPTY_ADDRESS
from sandbox.store import Body

# The controller settings of each of the older types (docs: "Connect account types").
CONTROLLERS: dict[str, Body] = {
    "express": {
        "fees": {"payer": "application_express"},
        "losses": {"payments": "application"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
    },
    "custom": {
        "fees": {"payer": "application_custom"},
        "losses": {"payments": "application"},
        "requirement_collection": "application",
        "stripe_dashboard": {"type": "none"},
    },
    "standard": {
        "fees": {"payer": "account"},
        "losses": {"payments": "stripe"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "full"},
    },
}
_COMPANY_ANSWERS = ("directors_provided", "executives_provided", "owners_provided", "tax_id_provided")


def no_requirements() -> Body:
    """Empty requirements."""
    lists = ("alternatives", "currently_due", "errors", "eventually_due", "past_due", "pending_verification")
    return {name: [] for name in lists} | {"current_deadline": None, "disabled_reason": None}


def empty_business_profile() -> Body:
    names = ("estimated_worker_count", "mcc", "minority_owned_business_designation", "name", "product_description")
    support = ("support_address", "support_email", "support_phone", "support_url", "url")
    return dict.fromkeys((*names, *support)) | {"annual_revenue": None}


def empty_company() -> Body:
    """An empty company; its registration numbers are never shown, only that they were provided."""
    return {"address": dict(EMPTY_ADDRESS), "name": None, "phone": None} | dict.fromkeys(_COMPANY_ANSWERS, False)


def empty_settings(*, display_name: str | None = None, interval: str = "daily") -> Body:
    """Settings of a new account. No icon and no logo: clients that mirror it would request those files."""
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": display_name, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": None},
        "payments": {
            "statement_descriptor": None,
            "statement_descriptor_kana": None,
            "statement_descriptor_kanji": None,
        },
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": interval},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }


def blank_account(*, country: str, created: int) -> Body:
    """Every field of an account that does not depend on the parameters."""
    return {
        "object": "account",
        "business_profile": empty_business_profile(),
        "business_type": None,
        "capabilities": {},
        "charges_enabled": False,
        "country": country,
        "created": created,
        "default_currency": default_currency(country),
        "details_submitted": False,
        "email": None,
        "future_requirements": no_requirements(),
        "metadata": {},
        "payouts_enabled": False,
        "requirements": no_requirements(),
        "settings": empty_settings(),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
    }
