"""Take a photo from an upload: check it, and keep only its pixels."""

from __future__ import annotations

import uuid
from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps

LARGEST_BYTES = 5 * 1024 * 1024
SIDE_PIXELS = 600
# A small file can unpack to gigabytes; a phone's camera stays below this.
_MOST_PIXELS = 60_000_000
# Named, so that Pillow's parsers of rare formats never see what a stranger sends.
_FORMATS = ("JPEG", "PNG", "WEBP")


def read_photo(upload: UploadedFile[Any]) -> ContentFile[bytes]:
    """Return a square WebP of 600 pixels made from the upload, under a new random name.

    Encoding it anew drops everything but the pixels: position and camera data, and whatever else hides in the file.
    Raises ValidationError with a message for the person.
    """
    if (upload.size or 0) > LARGEST_BYTES:
        raise ValidationError("The photo is larger than 5 MB. Choose a smaller one.", code="too_large")
    try:
        square = _square(upload)
    except ValidationError:
        raise
    except Exception as error:  # Pillow's parsers raise anything for a broken or hostile file
        raise ValidationError(
            "This is no photo we can read. Use a JPEG, PNG or WebP file.", code="unreadable"
        ) from error
    buffer = BytesIO()
    square.save(buffer, "WEBP", quality=82, method=4)
    return ContentFile(buffer.getvalue(), name=f"{uuid.uuid4().hex}.webp")


def _square(upload: UploadedFile[Any]) -> Image.Image:
    upload.seek(0)
    with Image.open(upload, formats=_FORMATS) as image:
        if image.width * image.height > _MOST_PIXELS:
            raise ValidationError("The photo has too many pixels. Choose a smaller one.", code="too_many_pixels")
        # Lets the JPEG decoder skip detail that resizing would throw away.
        image.draft("RGB", (SIDE_PIXELS * 2, SIDE_PIXELS * 2))
        # Phones store photos sideways with a note to turn them; that note goes with the other metadata.
        upright = ImageOps.exif_transpose(image)
        flat = Image.new("RGB", upright.size, "white")
        flat.paste(upright, mask=upright.getchannel("A") if "A" in upright.getbands() else None)
        return ImageOps.fit(flat, (SIDE_PIXELS, SIDE_PIXELS), method=Image.Resampling.LANCZOS)
