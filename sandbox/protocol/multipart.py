"""Multipart forms, which only file uploads send (docs: "File upload guide")."""

from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from sandbox.protocol.errors import ApiError
from sandbox.protocol.form import Raw, Upload, nest

MULTIPART = "multipart/form-data"
# Stripe accepts files up to 16 MB; the rest is for the form around the file.
LARGEST_REQUEST = 17 * 1024 * 1024


def decode_multipart(request: HttpRequest) -> dict[str, Raw]:
    """Decode to nested hashes that include the files. Raises a 400 for a malformed or oversized form."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_REQUEST:
        raise ApiError("The uploaded file is too large.", param="file", status=413)
    try:
        pairs: list[tuple[str, str | Upload]] = [
            (name, str(value)) for name, values in request.POST.lists() for value in values
        ]
        for name, files in request.FILES.lists():
            pairs += [(name, Upload(file.name or "", file.read())) for file in files]
    except (MultiPartParserError, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent) as error:
        raise ApiError(f"Invalid multipart request: {error}") from error
    return nest(pairs)


@dataclass(frozen=True)
class Attached:
    """The parameter of a multipart form that holds a file."""

    def read(self, raw: Raw, path: str) -> Upload:
        if not isinstance(raw, Upload):
            raise ApiError(
                "Invalid file: a file must be sent as a part of a multipart/form-data request, with a filename.",
                param=path,
            )
        return raw
