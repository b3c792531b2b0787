"""Tax ids of customers (docs: "The Tax ID object")."""

from sandbox import store
from sandbox.payments.tax_ids import create_tax_id
from sandbox.protocol.errors import no_such
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Text
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.customers import existing_customer
from sandbox.resources.payment_methods import PAGED
from sandbox.store import Body
from sandbox.webhooks.events import emit

TAX_ID = register(Resource("tax_id", references={"customer": "customer"}))


# dj-stripe's sync passes a customer's id as `id` when it lists tax ids.
@route("GET", "/v1/tax_ids", {**published("TaxIdListParams", *PAGED, "owner.customer", "owner.type"), "id": Text()})
def list_all(call: Call) -> Body:
    rows = store.rows("tax_id")
    owner = call.get("owner") or {}
    customer = owner.get("customer") or call.get("id")
    if owner.get("type", "customer") != "customer":
        rows = rows.none()
    return page(TAX_ID, call, url="/v1/tax_ids", rows=rows.filter(customer=customer) if customer else rows)


@route("GET", "/v1/tax_ids/:id")
def retrieve(call: Call) -> Body:
    return _existing(call)


@route("POST", "/v1/customers/:customer/tax_ids", published("CustomerTaxIdCreateParams", "type", "value"))
def create(call: Call) -> Body:
    return create_tax_id(existing_customer(call), kind=call["type"], value=call["value"])


@route("GET", "/v1/customers/:customer/tax_ids", published("CustomerListTaxIdsParams", *PAGED))
def list_of_customer(call: Call) -> Body:
    customer = existing_customer(call)
    rows = store.rows("tax_id").filter(customer=customer["id"])
    return page(TAX_ID, call, url=f"/v1/customers/{customer['id']}/tax_ids", rows=rows)


def _existing(call: Call) -> Body:
    tax_id = fetch_from_url(TAX_ID, call.ids["id"])
    if tax_id.get("deleted"):
        raise no_such("tax_id", call.ids["id"], in_url=True)
    return tax_id


@route("GET", "/v1/customers/:customer/tax_ids/:id")
def retrieve_of_customer(call: Call) -> Body:
    tax_id = _existing(call)
    if tax_id["customer"] != existing_customer(call)["id"]:
        raise no_such("tax_id", tax_id["id"], in_url=True)
    return tax_id


@route("DELETE", "/v1/customers/:customer/tax_ids/:id")
def delete(call: Call) -> Body:
    tax_id = retrieve_of_customer(call)
    stub = store.mark_deleted(tax_id)
    emit("customer.tax_id.deleted", tax_id)
    return stub
