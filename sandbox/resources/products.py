"""Products (docs: "The Product object")."""

from sandbox import clock, store
from sandbox.billing.catalogue import build_price, create_product, emit_price_event
from sandbox.protocol.errors import ApiError, no_such
from sandbox.protocol.listing import empty_list_route, page
from sandbox.protocol.parameters import Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.store import Body
from sandbox.webhooks.events import emit

PRODUCT = register(
    Resource(
        "product",
        references={"default_price": "price", "tax_code": "tax_code"},
        filters={
            "active": "body__active",
            "ids": "object_id",
            "shippable": "body__shippable",
            "type": "subtype",
            "url": "body__url",
        },
    )
)
search_route(PRODUCT, "/v1/products", ("active", "description", "metadata", "name", "shippable", "url"))
empty_list_route("/v1/products/:id/features")
PLAIN = ("active", "images", "marketing_features", "metadata", "package_dimensions", "shippable", "url")
DESCRIPTION = Text(max_length=40000, clearable=True)
STATEMENT = Text(max_length=22, clearable=True)
UNIT = Text(max_length=12, clearable=True)
TAX_CODE = Text(clearable=True)


@route(
    "POST",
    "/v1/products",
    published(
        "ProductCreateParams",
        *PLAIN,
        "default_price_data",
        "name",
        "type",
        description=DESCRIPTION,
        id=Text(max_length=64),
        statement_descriptor=STATEMENT,
        tax_code=TAX_CODE,
        unit_label=UNIT,
    ),
)
def create(call: Call) -> Body:
    fields = {key: value for key, value in call.params.items() if key not in ("expand", "default_price_data")}
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    data = call.get("default_price_data")
    if not data:
        return create_product(**fields)
    product = create_product(announce=False, **fields)
    price = build_price(product=product["id"], **data | {"metadata": merge_metadata({}, data.get("metadata"))})
    store.insert(price)
    store.save(product | {"default_price": price["id"]})
    product["default_price"] = price["id"]
    emit("product.created", product)
    emit_price_event(price, "created")
    return product


@route(
    "GET",
    "/v1/products",
    published(
        "ProductListParams", "active", "created", "ending_before", "ids", "limit", "shippable", "starting_after",
        "type", "url",
    ),
)  # fmt: skip
def list_products(call: Call) -> Body:
    return page(PRODUCT, call, url="/v1/products")


@route("GET", "/v1/products/:id")
def retrieve(call: Call) -> Body:
    return _existing(call)


def _existing(call: Call) -> Body:
    product = fetch_from_url(PRODUCT, call.ids["id"])
    if product.get("deleted"):
        raise no_such("product", call.ids["id"], in_url=True)
    return product


@route(
    "POST",
    "/v1/products/:id",
    published(
        "ProductUpdateParams",
        *PLAIN,
        "name",
        default_price=Text(clearable=True),
        description=DESCRIPTION,
        statement_descriptor=STATEMENT,
        tax_code=TAX_CODE,
        unit_label=UNIT,
    ),
)
def update(call: Call) -> Body:
    product = _existing(call)
    change = {key: value for key, value in call.params.items() if key != "expand"}
    if "metadata" in change:
        change["metadata"] = merge_metadata(product["metadata"], change["metadata"])
    if change.get("default_price"):
        _check_default_price(product, change["default_price"])
    previous = {key: product.get(key) for key in change if product.get(key) != change[key]}
    if previous:
        previous["updated"] = product["updated"]
        product |= change | {"updated": clock.now()}
        store.save(product)
        emit("product.updated", product, previous=previous)
    return product


def _check_default_price(product: Body, price_id: str) -> None:
    price = fetch_from_parameter("price", price_id, param="default_price")
    if price["product"] != product["id"]:
        raise ApiError(
            f"The price `{price_id}` cannot be the default of this product because it belongs to another one.",
            param="default_price",
        )
    if not price["active"]:
        raise ApiError(f"The price `{price_id}` is inactive and cannot be a default price.", param="default_price")


@route("DELETE", "/v1/products/:id")
def delete(call: Call) -> Body:
    product = _existing(call)
    if store.rows("price").filter(product=product["id"]).exists():
        raise ApiError(
            "This product cannot be deleted because it has one or more user-created prices.", is_executed=True
        )
    stub = store.mark_deleted(product)
    emit("product.deleted", product | {"active": False})
    return stub
