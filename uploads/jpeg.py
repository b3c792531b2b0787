"""Count the scans of a JPEG from its markers, without decoding it."""

from __future__ import annotations

import re

_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
# FF 00 is an escaped data byte, FF D0 to FF D7 are restart markers, FF FF is padding: none of them begins a segment.
_SEGMENT = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)


def count_scans(data: bytes) -> int:
    """Return the number of scans up to the end of the first picture (ITU-T T.81, annex B).

    A single scan is decoded row by row. With several, the decoder keeps all coefficients in memory and goes over
    all of them once for each scan, however few bytes the scan has.
    """
    scans = 0
    position = 0
    while found := _SEGMENT.search(data, position):
        marker = found[1][0]
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        length = int.from_bytes(data[found.end() : found.end() + 2], "big")
        position = found.end() + length
    return scans
