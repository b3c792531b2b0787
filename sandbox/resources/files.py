"""Files (docs: "The File object"). Uploads are multipart forms, to the same host as all other calls."""

from sandbox import store
from sandbox.protocol.listing import as_list, page
from sandbox.protocol.multipart import Attached
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, presented, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.uploads.keeping import keep_file, link_file

SHOWN_LINKS = 10


def _with_links(file: Body) -> Body:
    rows = store.rows("file_link").filter(source=file["id"]).order_by("-sequence")
    links = [presented(body) for body in rows.values_list("body", flat=True)[: SHOWN_LINKS + 1]]
    url = f"/v1/file_links?file={file['id']}"
    return file | {"links": as_list(links[:SHOWN_LINKS], url=url, has_more=len(links) > SHOWN_LINKS)}


FILE = register(Resource("file", filters={"purpose": "body__purpose"}, present=_with_links, label="file upload"))


@route(
    "GET",
    "/v1/files",
    published("FileListParams", "created", "ending_before", "limit", "purpose", "starting_after"),
)
def list_all(call: Call) -> Body:
    return page(FILE, call, url="/v1/files")


@route("POST", "/v1/files", published("FileCreateParams", "file_link_data", "purpose", file=Attached()))
def create(call: Call) -> Body:
    upload = call["file"]
    file = keep_file(upload.name, upload.content, call["purpose"])
    wanted = call.get("file_link_data") or {}
    if wanted.get("create"):
        metadata = merge_metadata({}, wanted.get("metadata"))
        link_file(file, expires_at=wanted.get("expires_at"), metadata=metadata)
    return file


@route("GET", "/v1/files/:file")
def retrieve(call: Call) -> Body:
    return fetch_from_url(FILE, call.ids["file"], param="file")
