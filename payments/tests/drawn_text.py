"""What a reader sees on our PDFs, from left to right, whatever fonts they are drawn with."""

import re
import zlib

_DRAWN = re.compile(rb"/(F\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj|(BT)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of_pdf(pdf):
    """The text of all pages; each row of print is a line. Right-to-left words appear in the order of drawing."""
    fonts, rows = _fonts_of(pdf), []
    for stream in re.findall(rb"stream\n(x.*?)\nendstream", pdf, re.DOTALL):
        content = zlib.decompress(stream)
        if b"BT" in content:
            rows += _rows_of(content, fonts)
    return "\n".join(row for row in rows if row)


def _rows_of(content, fonts):
    rows, letters = [], None
    for font, drawn, begins in _DRAWN.findall(content):
        if begins:
            rows.append("")
        elif font:
            letters = fonts[font.decode()]
        else:
            codes = re.sub(rb"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), drawn, flags=re.DOTALL)
            rows[-1] += _decoded(codes, letters)
    return rows


def _decoded(codes, letters):
    if letters is None:
        return codes.decode("windows-1252")
    pairs = (codes[place : place + 2] for place in range(0, len(codes), 2))
    return "".join(letters.get(int.from_bytes(pair, "big"), "\N{REPLACEMENT CHARACTER}") for pair in pairs)


def _fonts_of(pdf):
    """For each font's name what its codes mean; None where they are windows-1252."""
    objects = dict(re.findall(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL))
    fonts = {}
    for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", pdf):
        table = re.search(rb"/ToUnicode (\d+) 0 R", objects[number])
        fonts[name.decode()] = _table_of(objects[table[1]]) if table else None
    return fonts


def _table_of(table):
    pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", table.partition(b"beginbfchar")[2])
    return {int(code, 16): bytes.fromhex(letters.decode()).decode("utf-16-be") for code, letters in pairs}
