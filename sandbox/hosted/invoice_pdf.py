"""The file at an invoice's `invoice_pdf`: a minimal PDF with one page of plain text."""

from datetime import UTC, datetime

from sandbox.protocol.money import written
from sandbox.store import Body

MOST_LINES = 40
RESOURCES = b"<< /Font << /F1 4 0 R >> >>"
LEADING, TOP, LEFT, SIZE = 16, 780, 50, 11


def pdf_of(invoice: Body) -> bytes:
    """The PDF; lines that do not fit on its page are omitted."""
    text = "\n".join(f"({_escaped(line)}) Tj T*" for line in _lines(invoice)[:MOST_LINES])
    content = f"BT /F1 {SIZE} Tf {LEADING} TL {LEFT} {TOP} Td\n{text}\nET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources %s >>" % RESOURCES,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    return _assembled(objects)


def _assembled(objects: list[bytes]) -> bytes:
    body, offsets = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (count, table, count, len(body))
    )


def _lines(invoice: Body) -> list[str]:
    currency = invoice["currency"]
    finalized = datetime.fromtimestamp(invoice["status_transitions"]["finalized_at"], UTC)
    head = [
        "SANDBOX - NOT A REAL INVOICE",
        "",
        f"Invoice {invoice['number']} ({invoice['status']})",
        f"Date {finalized:%Y-%m-%d}",
        f"To {invoice['customer_name'] or invoice['customer_email'] or invoice['customer']}",
        "",
    ]
    body = [
        f"{line['description'] or 'Item'}   {line['quantity']} x   {written(line['amount'], currency)}"
        for line in invoice["lines"]["data"]
    ]
    sums = [f"{name} {written(invoice[key], currency)}" for name, key in (
        ("Subtotal", "subtotal"), ("Total", "total"), ("Amount due", "amount_due"), ("Amount paid", "amount_paid"),
    )]  # fmt: skip
    return [*head, *body, "", *sums]


def _escaped(text: str) -> str:
    """Text as a PDF string: control characters become spaces; brackets and backslashes are escaped."""
    plain = "".join(max(character, " ") for character in text)
    return plain.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
