"""Store uploaded files and read them again."""

import base64

from sandbox import clock, identifiers, store
from sandbox.options import options
from sandbox.protocol.errors import ApiError
from sandbox.store import Body
from sandbox.uploads.purposes import ANY_PURPOSE, PURPOSES, check_fitness
from sandbox.webhooks.events import emit

CONTENT = "file_content"
MIME_TYPES = {
    "csv": "text/csv", "gif": "image/gif", "jpg": "image/jpeg", "json": "application/json", "pdf": "application/pdf",
    "png": "image/png",
}  # fmt: skip


def keep_file(name: str, content: bytes, purpose: str) -> Body:
    """Store an upload; emits file.created. Raises a 400 if the file does not fit its purpose."""
    kind = check_fitness(name, content, purpose)
    rule = PURPOSES.get(purpose, ANY_PURPOSE)
    file_id = identifiers.new_id("file_1", 23)
    moment = clock.now()
    # The content has a separate row, so that lists of files do not read it.
    store.insert({"id": _content_id(file_id), "object": CONTENT, "base64": base64.b64encode(content).decode()})
    file = store.insert(
        {
            "id": file_id,
            "object": "file",
            "created": moment,
            "expires_at": moment + rule.lifetime if rule.lifetime else None,
            "filename": name,
            "purpose": purpose,
            "size": len(content),
            "title": None,
            "type": kind,
            "url": f"{options().public_url}/v1/files/{file_id}/contents" if rule.is_shown else None,
        }
    )
    emit("file.created", file)
    return file


def _content_id(file_id: str) -> str:
    return f"{file_id}_content"


def content_of(file: Body) -> tuple[bytes, str]:
    """The content of a file of the acting account, and its media type. Raises NotStored."""
    kept = store.fetch(CONTENT, _content_id(file["id"]))
    return base64.b64decode(kept["base64"]), MIME_TYPES.get(file["type"], "application/octet-stream")


def link_file(file: Body, *, expires_at: int | None, metadata: dict[str, str]) -> Body:
    """Create a public link to a file. Raises a 400 for a file whose content cannot be read again."""
    if not file["url"]:
        raise ApiError(f"Files with the purpose {file['purpose']} cannot be linked to.", param="file")
    check_future(expires_at)
    token = identifiers.token(48)
    return store.insert(
        {
            "id": identifiers.new_id("link_1", 23),
            "object": "file_link",
            "created": clock.now(),
            "expires_at": expires_at,
            "file": file["id"],
            "livemode": False,
            "metadata": metadata,
            "url": f"{options().public_url}/links/{token}",
        }
    )


def check_future(expires_at: int | None) -> None:
    """Raise a 400 for an expiry in the past."""
    if expires_at is not None and expires_at <= clock.now():
        raise ApiError("The `expires_at` of a file link must be in the future.", param="expires_at")


def is_expired(link: Body) -> bool:
    """Whether a link has expired."""
    return link["expires_at"] is not None and link["expires_at"] <= clock.now()
