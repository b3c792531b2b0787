"""The purposes of files, and the types and sizes that each allows (docs: "File upload guide", purposes)."""

from dataclasses import dataclass

from sandbox.protocol.errors import ApiError

KILOBYTE, MEGABYTE = 1024, 1024 * 1024
DAY = 24 * 3600
LARGEST = 16 * MEGABYTE
# The first bytes of each type of file. Stripe's other types are recognised by the file name.
_BEGINNINGS = {
    b"%PDF-": "pdf",
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
_DOCUMENTS = ("pdf", "jpg", "png")


@dataclass(frozen=True)
class Purpose:
    """`types`: all if empty; `is_shown`: the content can be read again; `largest` in bytes, `lifetime` in seconds."""

    types: tuple[str, ...] = ()
    largest: int = LARGEST
    lifetime: int | None = None
    is_shown: bool = True


PURPOSES = {
    "account_requirement": Purpose(_DOCUMENTS, is_shown=False),
    "additional_verification": Purpose(_DOCUMENTS, is_shown=False),
    "business_icon": Purpose(("jpg", "png", "gif"), 512 * KILOBYTE),
    "business_logo": Purpose(("jpg", "png", "gif"), 512 * KILOBYTE),
    "customer_signature": Purpose(("jpg", "png", "svg"), 4 * MEGABYTE, lifetime=7 * DAY),
    "dispute_evidence": Purpose(_DOCUMENTS, 5 * MEGABYTE, lifetime=270 * DAY),
    "identity_document": Purpose(_DOCUMENTS, is_shown=False),
    "issuing_regulatory_reporting": Purpose(("json",), 256 * KILOBYTE, lifetime=730 * DAY),
    "pci_document": Purpose(("pdf",)),
    "tax_document_user_upload": Purpose(("pdf", "csv", "jpg", "png", "xlsx", "docx")),
}
ANY_PURPOSE = Purpose()


def type_of(name: str, content: bytes) -> str:
    """The type of a file, by its first bytes or else by its name."""
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    # A name with the ending of a known type counts only if the content begins like that type.
    return ending if ending and ending not in (*_BEGINNINGS.values(), "jpeg") else "bin"


def check_fitness(name: str, content: bytes, purpose: str) -> str:
    """The type of a file. Raises a 400 if it is empty, too large, or of a type that its purpose does not allow."""
    rule, kind = PURPOSES.get(purpose, ANY_PURPOSE), type_of(name, content)
    if not content:
        raise ApiError("The uploaded file is empty.", param="file")
    if len(content) > rule.largest:
        raise ApiError(
            f"The uploaded file is too large: with the purpose {purpose} it may have up to {rule.largest} bytes.",
            param="file",
        )
    if rule.types and kind not in rule.types:
        raise ApiError(
            f"Files with the purpose {purpose} must be of one of these types: {', '.join(rule.types)}. This file is not.",
            param="file",
        )
    return kind
