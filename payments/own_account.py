"""Whether our API key belongs to the Stripe account that this site's money is in.

A key of another account works, but sees nothing of ours: every object of ours is "no such object". So before anything is
concluded from that answer, the key is checked.
"""

from __future__ import annotations

from django.conf import settings

from notifications.alerts import clear_alert, raise_alert
from payments.models import ReconciliationRun
from payments.stripe_api import StripeMisconfigured, client, translated_errors

_ALERT = "stripe-key-of-another-account"


def retrieve_account_id() -> str:
    """The id of the account that our API key belongs to. Raises StripeUnreachable or StripeRefused."""
    with translated_errors():
        return client().v1.accounts.retrieve_current().id


def is_key_known_as_ours() -> bool:
    """Whether the key certainly belongs to our account; False if this site does not know its account yet.

    Calls Stripe, so never inside a transaction. Raises StripeMisconfigured and alerts staff if it belongs to another;
    otherwise StripeUnreachable or StripeRefused.
    """
    expected = _expected_account_id()
    if not expected:
        return False
    found = retrieve_account_id()
    if found == expected:
        clear_alert(key=_ALERT)
        return True
    raise_alert(
        key=_ALERT,
        title="The Stripe API key belongs to another account than this site's money",
        detail={"the key's account": found, "this site's account": expected},
    )
    raise StripeMisconfigured(f"The API key belongs to {found}, not to {expected}.")


def _expected_account_id() -> str:
    """The account that the setting names; without it, the one of the first reconciliation in this mode."""
    if settings.STRIPE_ACCOUNT_ID:
        return str(settings.STRIPE_ACCOUNT_ID)
    runs = ReconciliationRun.objects.filter(livemode=settings.STRIPE_LIVE_MODE).exclude(account="")
    return runs.order_by("pk").values_list("account", flat=True).first() or ""
