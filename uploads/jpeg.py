"""Read the structure of a JPEG from its markers, without decoding it (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

START_OF_SCAN = 0xDA
END_OF_IMAGE = 0xD9
# FF 00 is an escaped data byte, FF D0 to FF D7 are restart markers, FF FF is padding: none of them begins a segment.
_SEGMENT = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)


class Segment(NamedTuple):
    """A segment of a file: its marker, and where it begins and ends in the file's bytes."""

    marker: int
    start: int
    end: int


def find_segments(data: bytes) -> Iterator[Segment]:
    """The segments up to the end of the first picture, that end included. A file that is cut off has no end."""
    position = 0
    while found := _SEGMENT.search(data, position):
        marker = found[1][0]
        if marker == END_OF_IMAGE:
            yield Segment(marker, found.start(), found.end())
            return
        length = int.from_bytes(data[found.end() : found.end() + 2], "big")
        position = found.end() + length
        yield Segment(marker, found.start(), position)


def count_scans(data: bytes) -> int:
    """Return the number of scans up to the end of the first picture.

    A single scan is decoded row by row. With several, the decoder keeps all coefficients in memory and goes over
    all of them once for each scan, however few bytes the scan has.
    """
    return sum(segment.marker == START_OF_SCAN for segment in find_segments(data))
