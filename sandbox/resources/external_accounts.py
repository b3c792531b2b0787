"""Bank accounts for payouts (docs: "External accounts")."""

from sandbox import store
from sandbox.connect.accounts import changing
from sandbox.connect.external_accounts import add_bank, read_bank, remove_bank, update_bank
from sandbox.protocol.errors import no_such
from sandbox.protocol.listing import page
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.account import EXTERNAL_ACCOUNT, PAGING, named_account
from sandbox.store import Body

BANK_ACCOUNT = register(Resource("bank_account", references={"account": "account"}, label="external account"))
PATH = "/v1/accounts/:account/external_accounts"


def _named(call: Call) -> tuple[Body, Body]:
    """The account and its bank account whose ids are in the URL. Raises Stripe's 404."""
    account = named_account(call)
    with store.acting_for(account["id"]):
        bank = store.find("bank_account", call.ids["id"])
    if bank is None or bank.get("deleted"):
        raise no_such("external account", call.ids["id"], param="id", in_url=True)
    return account, bank


@route("GET", PATH, published("AccountExternalAccountListParams", *PAGING, "object"))
def list_external_accounts(call: Call) -> Body:
    account = named_account(call)
    with store.acting_for(account["id"]):
        rows = store.rows(call.get("object", "bank_account"))
        return page(BANK_ACCOUNT, call, url=f"/v1/accounts/{account['id']}/external_accounts", rows=rows)


@route(
    "POST",
    PATH,
    published(
        "AccountExternalAccountCreateParams", "default_for_currency", "metadata", external_account=EXTERNAL_ACCOUNT
    ),
)
def create(call: Call) -> Body:
    account = named_account(call)
    details = read_bank(call["external_account"])
    with changing(account["id"]):
        return add_bank(
            account["id"], details, is_default=call.get("default_for_currency"), metadata=call.get("metadata")
        )


@route("GET", f"{PATH}/:id", published("AccountExternalAccountRetrieveParams"))
def retrieve(call: Call) -> Body:
    return _named(call)[1]


@route(
    "POST",
    f"{PATH}/:id",
    published(
        "AccountExternalAccountUpdateParams",
        "account_holder_name",
        "account_holder_type",
        "account_type",
        "default_for_currency",
        "metadata",
    ),
)
def update(call: Call) -> Body:
    account, bank = _named(call)
    change = {name: value for name, value in call.params.items() if name != "expand"}
    with changing(account["id"]):
        return update_bank(bank, change)


@route("DELETE", f"{PATH}/:id", published("AccountExternalAccountDeleteParams"))
def delete(call: Call) -> Body:
    account, bank = _named(call)
    with changing(account["id"]):
        return remove_bank(bank)
