"""Products (docs: "The Product object")."""

from typing import Any

from sandbox import clock, identifiers, store
from sandbox.protocol.errors import ApiError, no_such
from sandbox.protocol.listing import empty_list_route, list_route
from sandbox.protocol.parameters import Boolean, Fields, Hash, ListOf, Metadata, NotYet, Text, merge_metadata
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.store import Body
from sandbox.webhooks.events import emit

PRODUCT = register(
    Resource(
        "product",
        references={"default_price": "price", "tax_code": "tax_code"},
        filters={"active": "body__active", "ids": "object_id", "shippable": "body__shippable", "url": "body__url"},
    )
)
list_route(
    PRODUCT, "/v1/products", {"active": Boolean(), "ids": ListOf(Text()), "shippable": Boolean(), "type": Text()}
)
search_route(PRODUCT, "/v1/products", ("active", "description", "metadata", "name", "shippable", "url"))
empty_list_route("/v1/products/:id/features")
FIELDS: Fields = {
    "active": Boolean(),
    "description": Text(max_length=40000, clearable=True),
    "images": ListOf(Text(), clearable=True),
    "marketing_features": ListOf(Hash({"name": Text()}), clearable=True),
    "metadata": Metadata(),
    "name": Text(max_length=5000),
    "shippable": Boolean(),
    "statement_descriptor": Text(max_length=22),
    "tax_code": Text(clearable=True),
    "unit_label": Text(max_length=12, clearable=True),
    "url": Text(clearable=True),
}


def create_product(*, name: str, announce: bool = True, **fields: Any) -> Body:
    """A stored product; emits product.created unless it only serves one inline price."""
    moment = clock.now()
    empty = ("default_price", "description", "package_dimensions", "shippable", "statement_descriptor")
    product = store.insert(
        {
            "id": identifiers.new_id("prod_", 14),
            "object": "product",
            **dict.fromkeys((*empty, "tax_code", "unit_label", "url")),
            "active": True,
            "created": moment,
            "images": [],
            "livemode": False,
            "marketing_features": [],
            "metadata": {},
            "name": name,
            "type": "service",
            "updated": moment,
            **fields,
        }
    )
    if announce:
        emit("product.created", product)
    return product


@route("POST", "/v1/products", {**FIELDS, "id": Text(), "default_price_data": NotYet(())}, required=("name",))
def create(call: Call) -> Body:
    fields = {key: value for key, value in call.params.items() if key != "expand"}
    if "id" in fields and store.find("product", fields["id"]):
        raise ApiError("Product already exists.", code="resource_already_exists", is_executed=True)
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    return create_product(**fields)


@route("GET", "/v1/products/:id")
def retrieve(call: Call) -> Body:
    return _living(call)


def _living(call: Call) -> Body:
    product = fetch_from_url(PRODUCT, call.ids["id"])
    if product.get("deleted"):
        raise no_such("product", call.ids["id"], in_url=True)
    return product


@route("POST", "/v1/products/:id", {**FIELDS, "default_price": Text()})
def update(call: Call) -> Body:
    product = _living(call)
    change = {key: value for key, value in call.params.items() if key != "expand"}
    if "metadata" in change:
        change["metadata"] = merge_metadata(product["metadata"], change["metadata"])
    previous = {key: product.get(key) for key in change if product.get(key) != change[key]}
    if previous:
        previous["updated"] = product["updated"]
        product |= change | {"updated": clock.now()}
        store.save(product)
        emit("product.updated", product, previous=previous)
    return product


@route("DELETE", "/v1/products/:id")
def delete(call: Call) -> Body:
    product = _living(call)
    if store.rows("price").filter(product=product["id"]).exists():
        raise ApiError(
            "This product cannot be deleted because it has one or more user-created prices.", is_executed=True
        )
    stub = store.mark_deleted(product)
    emit("product.deleted", product)
    return stub
