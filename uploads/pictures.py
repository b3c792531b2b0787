"""The one entrance for pictures: whatever was sent, only a small WebP made from its pixels is kept."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from PIL import Image, ImageCms, ImageOps

from uploads.jpeg import count_scans
from uploads.slots import NoSlotFree, decoding_slot

LARGEST_BYTES = 5 * 1024 * 1024
# An explicit list, so that Pillow's parsers of rare formats never see a stranger's file.
FORMATS = ("JPEG", "PNG", "WEBP")
# Each keeps one picture below 300 MB while it is decoded. A JPEG of one scan is made smaller as it is read, so a
# phone's 50 megapixels (8192 x 6144) are welcome; of several scans, the decoder keeps 6 to 8 bytes a pixel. PNG takes 4
# bytes a pixel, WebP 15.
MOST_PIXELS = {"JPEG": 52_000_000, "JPEG in several scans": 25_000_000, "PNG": 40_000_000, "WEBP": 16_000_000}
# The longest side a JPEG can have. Pillow keeps some bytes for each row, however short, so 40 million rows of one pixel
# would take 700 MB and ten seconds.
LONGEST_SIDE = 65_535
# Common encoders make 6 to 12. Each costs a pass over the picture, and a file of 5 MB could demand thousands.
MOST_SCANS = 64
# Averaging reduces the picture to at least this multiple of the final size; a filter that looks better does the rest.
_MARGIN = 1.25
# Copied in pieces, so that a second copy of the whole picture never exists.
_PIXELS_OF_A_STRIP = 1_000_000
_LARGEST_OF_EIGHT_BITS = 255
_GREY_MODES = ("1", "L", "I;16")


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a kind of picture: cut to a square, or whole with its longer side at most `side` pixels."""

    side: int
    is_square: bool = False

    def scale(self, width: int, height: int) -> float:
        """The factor by which a picture's sides are multiplied."""
        return self.side / (min(width, height) if self.is_square else max(width, height))

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The part of a picture that is kept: left, top, right, bottom. A square comes from the middle."""
        if not self.is_square:
            return 0, 0, width, height
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return left, top, left + side, top + side


PORTRAIT = Shape(600, is_square=True)
# Twice the largest size on any page, for dense screens.
COVER = Shape(1600)


class Picture(ContentFile):  # type: ignore[type-arg]  # generic for mypy only, not at run time
    """A picture made by `read_picture`. `PictureField` takes nothing else."""


def read_picture(upload: File[Any], *, shape: Shape) -> Picture:
    """Make a WebP of the shape from an upload. Raises ValidationError with a message for the person.

    The content decides the format, never the name. Re-encoding drops everything but the pixels: position and camera
    data, and anything else hidden in the file. Of an animation only the first frame is kept. Colours become sRGB.
    """
    upload.seek(0)
    data = upload.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise ValidationError("The picture is larger than 5 MB. Choose a smaller one.", code="too_large")
    try:
        with decoding_slot():
            return Picture(_make(data, shape), name="picture.webp")
    except NoSlotFree:
        raise ValidationError(
            "Many pictures are coming in just now. Please choose yours again in a minute.", code="busy"
        ) from None


def _make(data: bytes, shape: Shape) -> bytes:
    try:
        return _encode(_finish(_decode(data, shape), shape))
    except ValidationError:
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels(max(MOST_PIXELS.values())) from None
    except Exception as error:  # Pillow's parsers may raise anything for a broken or hostile file
        raise ValidationError(
            "This is no picture we can read. Use a JPEG, PNG or WebP file.", code="unreadable"
        ) from error


def _decode(data: bytes, shape: Shape) -> Image.Image:
    """Decode a picture to little more than its final size. The full-size pixels are freed when this returns."""
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        _refuse_too_much_work(image, data)
        scale = shape.scale(image.width, image.height)
        # Lets the JPEG decoder skip detail that resizing would discard.
        image.draft(None, (max(1, int(image.width * 2 * scale)), max(1, int(image.height * 2 * scale))))
        image.load()
        _narrow_transparent_colour(image)
        factor = max(1, int(1 / (_MARGIN * shape.scale(image.width, image.height))))
        small = _shrink(image, factor, box=shape.box(image.width, image.height))
        # The orientation may be stored after the pixels.
        small.info = {key: value for key, value in image.info.items() if key != "transparency"}
        return small


def _narrow_transparent_colour(image: Image.Image) -> None:
    """Of pictures with sixteen bits a channel, give the colour that stands for transparency in the eight bits we keep."""
    key = image.info.get("transparency")
    if isinstance(key, int) and image.mode == "I;16":
        image.info["transparency"] = key >> 8
    elif isinstance(key, tuple) and max(key) > _LARGEST_OF_EIGHT_BITS:
        image.info["transparency"] = tuple(value >> 8 for value in key)


def _refuse_too_much_work(image: Image.Image, data: bytes) -> None:
    """Refuse by the header alone; nothing is decoded yet."""
    # Pillow calls a JPEG with further pictures after the first, as some phones make, MPO.
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    if kind == "JPEG" and (scans := count_scans(data)) > 1:
        if scans > MOST_SCANS:
            raise ValidationError("This JPEG is built in an unusual way. Save it anew and try again.", code="scans")
        kind = "JPEG in several scans"
    if image.width * image.height > MOST_PIXELS[kind]:
        raise _too_many_pixels(MOST_PIXELS[kind])
    if max(image.size) > LONGEST_SIDE:
        raise ValidationError(f"The picture is too long: at most {LONGEST_SIDE} pixels can be read.", code="too_long")


def _too_many_pixels(most: int) -> ValidationError:
    return ValidationError(
        f"The picture has too many pixels: at most {most // 1_000_000} million can be read. Choose a smaller one.",
        code="too_many_pixels",
    )


def _finish(small: Image.Image, shape: Shape) -> Image.Image:
    """Turn the picture upright, and bring it to its exact size and to sRGB."""
    profile = small.info.get("icc_profile")
    _turn_upright(small)
    if shape.is_square:
        square = ImageOps.fit(small, (shape.side, shape.side), method=Image.Resampling.LANCZOS)
        return _on_white(_in_srgb(square, profile))
    small.thumbnail((shape.side, shape.side), Image.Resampling.LANCZOS)
    return _in_srgb(small, profile)


def _shrink(image: Image.Image, factor: int, *, box: tuple[int, int, int, int]) -> Image.Image:
    """Reduce a part by a whole factor, in a mode that can be averaged: eight bits per channel, no palette."""
    mode = _plain_mode(image)
    left, first, right, last = box
    width = right - left
    small = Image.new(mode, (-(-width // factor), -(-(last - first) // factor)))
    rows = factor * max(1, _PIXELS_OF_A_STRIP // (width * factor))
    for top in range(first, last, rows):
        strip = image.crop((left, top, right, min(top + rows, last)))
        small.paste(_converted(strip, mode).reduce(factor), (0, (top - first) // factor))
    return small


def _plain_mode(image: Image.Image) -> str:
    if image.mode in _GREY_MODES and "transparency" not in image.info:
        return "L"
    if image.mode == "CMYK":
        return "CMYK"
    return "RGBA" if image.has_transparency_data else "RGB"


def _converted(strip: Image.Image, mode: str) -> Image.Image:
    if strip.mode == "I;16":
        # Pillow would clip sixteen-bit values at 255, which turns nearly everything white.
        key = strip.info.get("transparency")
        strip = strip.point(lambda value: value / 256).convert("L")
        if key is not None:
            strip.info["transparency"] = key
    return strip.convert(mode)


def _turn_upright(image: Image.Image) -> None:
    """Apply the orientation tag: phones store photos sideways and record how to turn them."""
    # Unreadable metadata may raise anything, and the pixels are good without it.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            return _converted_by_profile(image, profile, mode)
        except (ImageCms.PyCMSError, OSError):
            # The profile is broken, or does not fit the picture's colours: browsers ignore such profiles too.
            pass
    return image.convert(mode)


def _converted_by_profile(image: Image.Image, profile: bytes, mode: str) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode=mode,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None  # noqa: S101  # None comes only when converting in place
    return converted


def _on_white(image: Image.Image) -> Image.Image:
    """Put a portrait on white: it appears on any background, also in mails, so it needs its own."""
    if image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _encode(image: Image.Image) -> bytes:
    # Otherwise Pillow would write the picture's metadata into the file.
    image.info = {}
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=82, method=4)
    return buffer.getvalue()
