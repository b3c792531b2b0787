"""Forms with a file in them, as only uploads send them (docs: "File upload guide")."""

from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from sandbox.protocol.errors import ApiError
from sandbox.protocol.form import Raw, Upload, nest

MULTIPART = "multipart/form-data"
# The largest file Stripe takes has 16 MB; a little more for what surrounds it.
LARGEST_REQUEST = 17 * 1024 * 1024


def decode_multipart(request: HttpRequest) -> dict[str, Raw]:
    """Nested hashes of what a form sent, its files among them. Raises the 400 of one that cannot be read."""
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
    """A file as part of a multipart form."""

    def read(self, raw: Raw, path: str) -> Upload:
        if not isinstance(raw, Upload):
            raise ApiError(
                "Invalid file: a file has to be sent as a part of a multipart/form-data request, with a filename.",
                param=path,
            )
        return raw
