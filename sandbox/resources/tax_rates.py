"""Tax rates (docs: "The Tax Rate object"). The rates of automatic tax are stored too, but not listed."""

from sandbox import store
from sandbox.billing.taxes import new_rate
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.webhooks.events import emit

TAX_RATE = register(
    Resource("tax_rate", label="tax rate", filters={"active": "body__active", "inclusive": "body__inclusive"})
)
MOST = 100
WORDS = {
    "country": Text(max_length=2, clearable=True),
    "description": Text(clearable=True),
    "display_name": Text(max_length=50),
    "jurisdiction": Text(max_length=200, clearable=True),
    "state": Text(max_length=2, clearable=True),
}


@route(
    "POST",
    "/v1/tax_rates",
    published("TaxRateCreateParams", "active", "inclusive", "metadata", "percentage", "tax_type", **WORDS),
)
def create(call: Call) -> Body:
    if not 0 <= call["percentage"] <= MOST:
        raise ApiError("Invalid percentage: must be between 0 and 100.", param="percentage")
    fields = {key: value for key, value in call.params.items() if key != "expand"}
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    rate = store.insert(new_rate(**fields))
    emit("tax_rate.created", rate)
    return rate


@route(
    "GET",
    "/v1/tax_rates",
    published("TaxRateListParams", "active", "created", "ending_before", "inclusive", "limit", "starting_after"),
)
def list_rates(call: Call) -> Body:
    manual = store.rows("tax_rate").filter(body___is_automatic__isnull=True)
    return page(TAX_RATE, call, url="/v1/tax_rates", rows=manual)


@route("GET", "/v1/tax_rates/:tax_rate")
def retrieve(call: Call) -> Body:
    return fetch_from_url(TAX_RATE, call.ids["tax_rate"], param="tax_rate")


@route("POST", "/v1/tax_rates/:tax_rate", published("TaxRateUpdateParams", "active", "metadata", "tax_type", **WORDS))
def update(call: Call) -> Body:
    """Update a rate's description and status; its percentage cannot change."""
    rate = fetch_from_url(TAX_RATE, call.ids["tax_rate"], param="tax_rate")
    change = {key: value for key, value in call.params.items() if key != "expand"}
    if "metadata" in change:
        change["metadata"] = merge_metadata(rate["metadata"], change["metadata"])
    previous = {key: rate[key] for key in change if rate[key] != change[key]}
    if previous:
        rate |= change
        store.save(rate)
        emit("tax_rate.updated", rate, previous=previous)
    return rate
