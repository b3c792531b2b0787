"""Buttons for connected accounts and payouts."""

from django.http import QueryDict

from sandbox.connect.onboarding import complete_onboarding, restrict_account
from sandbox.dashboard.buttons import button
from sandbox.options import options
from sandbox.store import Body


def _is_connected(account: Body) -> bool:
    return bool(account["id"] != options().account_id)


@button(
    "account", "complete", "Complete onboarding", when=_is_connected,
    about="All is handed in and verified: it can charge and be paid out.",
)  # fmt: skip
def complete(account: Body, _form: QueryDict) -> None:
    complete_onboarding(account)


@button(
    "account", "restrict", "Restrict", when=_is_connected, is_grave=True,
    about="A document is asked for; until it is there, nothing can be charged or paid out.",
)  # fmt: skip
def restrict(account: Body, _form: QueryDict) -> None:
    restrict_account(account)
