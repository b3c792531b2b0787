"""Serve the content of uploaded files, with the API key or by a link (docs: "File upload guide", "File links")."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import store
from sandbox.models import StoredObject
from sandbox.options import options
from sandbox.protocol.authentication import authenticate
from sandbox.protocol.errors import ApiError, no_such
from sandbox.store import Body
from sandbox.uploads.keeping import content_of, is_expired


def contents(request: HttpRequest, file_id: str) -> HttpResponse:
    """The content of a file of the authenticated account."""
    store.act_for(None)
    try:
        authenticate(request)
        file = store.find("file", file_id)
        if file is None or not file["url"]:
            raise no_such("file upload", file_id, param="file", in_url=True)
    except ApiError as error:
        return JsonResponse({"error": error.fields()}, status=error.status)
    return _shown(file)


def linked(_request: HttpRequest, token: str) -> HttpResponse:
    """The content of a file by its public link, until the link expires."""
    address = f"{options().public_url}/links/{token}"
    row = StoredObject.objects.filter(kind="file_link", body__url=address).first()
    if row is None or is_expired(row.body):
        return HttpResponse("This link does not exist or has expired.\n", content_type="text/plain", status=404)
    with store.acting_for(row.account):
        return _shown(store.fetch("file", row.body["file"]))


def _shown(file: Body) -> HttpResponse:
    content, media_type = content_of(file)
    response = HttpResponse(content, content_type=media_type)
    # A browser must never render an uploaded file as a page of the sandbox.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = "inline" if media_type.startswith("image/") else "attachment"
    return response
