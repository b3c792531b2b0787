"""Remove what a picture file tells beside its picture, such as where it was taken, and leave its pixels as they are."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from PIL import Image

from uploads.jpeg import END_OF_IMAGE, find_segments

_ORIENTATION = 0x0112
_TURNED = range(2, 9)
_PNG_START = b"\x89PNG\r\n\x1a\n"
_JPEG_START = b"\xff\xd8"
# Ancillary chunks that change how the picture looks; also those of animations.
_PNG_LOOKS = frozenset(b"tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs hIST sPLT cICP mDCV cLLI acTL fcTL fdAT".split())
# A large PNG has some thousands of chunks; a file of millions of empty ones would take minutes.
_MOST_PARTS = 100_000
_EXIF_START = b"Exif\0\0"
_COMMENT = 0xFE
_EXIF_SEGMENT = 0xE1
# A marker and the segment's length.
_BEFORE_CONTENT = 4
_APPLICATION_SEGMENTS = range(0xE0, 0xF0)
# Application segments that decoders need: density, colour profile, and Adobe's kind of colours.
_JPEG_LOOKS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}


class NotReadable(ValueError):
    """The file is cut off or broken, so that its metadata cannot be told from its picture."""


def without_metadata(data: bytes) -> bytes:
    """Return a JPEG or PNG without position, camera, comments, previews and anything behind its end.

    The pixels are not encoded anew. How the picture must be turned and its colour profile are kept, since it would look
    different without them. Any other file is returned as it is. Raises NotReadable.
    """
    if data.startswith(_JPEG_START):
        return _jpeg_without_metadata(data)
    if data.startswith(_PNG_START):
        return _png_without_metadata(data)
    return data


def _jpeg_without_metadata(data: bytes) -> bytes:
    kept, position = [_JPEG_START], len(_JPEG_START)
    for segment in islice(find_segments(data), _MOST_PARTS):
        # What lies between two segments is a scan's data.
        kept.append(data[position : segment.start])
        kept.append(_kept_of_jpeg(segment.marker, data[segment.start : segment.end]))
        position = segment.end
        if segment.marker == END_OF_IMAGE:
            return b"".join(kept)
    raise NotReadable


def _kept_of_jpeg(marker: int, segment: bytes) -> bytes:
    content = segment[_BEFORE_CONTENT:]
    if marker == _EXIF_SEGMENT and content.startswith(_EXIF_START):
        turned = _only_orientation(content)
        return struct.pack(">BBH", 0xFF, marker, len(turned) + 2) + turned if turned else b""
    if marker in _APPLICATION_SEGMENTS:
        return segment if marker in _JPEG_LOOKS and content.startswith(_JPEG_LOOKS[marker]) else b""
    return b"" if marker == _COMMENT else segment


def _png_without_metadata(data: bytes) -> bytes:
    return b"".join([_PNG_START, *(_kept_of_png(kind, chunk) for kind, chunk in _png_chunks(data))])


def _kept_of_png(kind: bytes, chunk: bytes) -> bytes:
    if kind == b"eXIf":
        turned = _only_orientation(_EXIF_START + chunk[8:-4])
        return _png_chunk(kind, turned.removeprefix(_EXIF_START)) if turned else b""
    is_critical = kind[:1].isupper()
    return chunk if is_critical or kind in _PNG_LOOKS else b""


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's kind and bytes, up to the end of the picture."""
    position = len(_PNG_START)
    for _ in range(_MOST_PARTS):
        if position + 12 > len(data):
            break
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        yield kind, data[position : position + 12 + length]
        position += 12 + length
        if kind == b"IEND" and position <= len(data):
            return
    raise NotReadable


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _only_orientation(exif: bytes) -> bytes:
    """Exif data reduced to how the picture must be turned; empty for one that is upright."""
    told = Image.Exif()
    # Unreadable metadata may raise anything, and the picture is good without it.
    with suppress(Exception):
        told.load(exif)
    orientation = told.get(_ORIENTATION)
    if orientation not in _TURNED:
        return b""
    kept = Image.Exif()
    kept[_ORIENTATION] = orientation
    return kept.tobytes()
