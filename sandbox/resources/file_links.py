"""File links: public URLs of files (docs: "The File Link object")."""

from django.db.models import Q

from sandbox import clock, store
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.uploads.keeping import check_future, is_expired, link_file


def _with_expiry(link: Body) -> Body:
    return link | {"expired": is_expired(link)}


FILE_LINK = register(
    Resource(
        "file_link",
        references={"file": "file"},
        filters={"file": "source"},
        present=_with_expiry,
        label="file link",
    )
)


@route(
    "GET",
    "/v1/file_links",
    published("FileLinkListParams", "created", "ending_before", "expired", "file", "limit", "starting_after"),
)
def list_all(call: Call) -> Body:
    rows = store.rows("file_link")
    if "expired" in call.params:
        has_passed = Q(body__expires_at__lte=clock.now())
        rows = rows.filter(has_passed) if call["expired"] else rows.exclude(has_passed)
    return page(FILE_LINK, call, url="/v1/file_links", rows=rows)


@route("POST", "/v1/file_links", published("FileLinkCreateParams", "expires_at", "file", "metadata"))
def create(call: Call) -> Body:
    file = fetch_from_parameter("file", call["file"], param="file")
    metadata = merge_metadata({}, call.get("metadata"))
    return link_file(file, expires_at=call.get("expires_at"), metadata=metadata)


def _named(call: Call) -> Body:
    return fetch_from_url(FILE_LINK, call.ids["link"], param="link")


@route("GET", "/v1/file_links/:link")
def retrieve(call: Call) -> Body:
    return _named(call)


@route("POST", "/v1/file_links/:link", published("FileLinkModifyParams", "expires_at", "metadata"))
def update(call: Call) -> Body:
    link = _named(call)
    if "metadata" in call.params:
        link["metadata"] = merge_metadata(link["metadata"], call["metadata"])
    if "expires_at" in call.params:
        expires_at = clock.now() if call["expires_at"] == "now" else call["expires_at"]
        if call["expires_at"] != "now":
            check_future(expires_at)
        link["expires_at"] = expires_at
    return store.save(link)
