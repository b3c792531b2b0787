"""Portraits of people who do not exist, drawn from a few words about their looks in the data files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

from PIL import Image, ImageColor, ImageDraw, ImageFilter

SIDE = 600
# Drawn larger and then reduced, which smooths every edge.
SCALE = 2
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]


def draw_portrait(look: Mapping[str, str | bool]) -> bytes:
    """Return a square PNG. `look` has skin, hair, clothes and backdrop as #rrggbb, and style: one of HAIR."""
    skin, hair, clothes, backdrop = (_colour(look[part]) for part in ("skin", "hair", "clothes", "backdrop"))
    image = _backdrop(backdrop)
    pen = _Pen(image)
    style = str(look["style"])
    HAIR[style].behind(pen, hair)
    pen.ellipse((90, 455, 510, 900), clothes)
    pen.ellipse((225, 430, 375, 530), _shade(skin, 0.9))
    pen.rounded((255, 360, 345, 490), 40, _shade(skin, 0.88))
    for ear in ((178, 285, 218, 345), (382, 285, 422, 345)):
        pen.ellipse(ear, _shade(skin, 0.94))
    pen.ellipse((195, 165, 405, 430), skin)
    _face(pen, skin, hair)
    HAIR[style].before(pen, hair)
    if look.get("glasses"):
        for lens in ((222, 275, 290, 330), (310, 275, 378, 330)):
            pen.outline(lens, (50, 50, 55))
        pen.line((290, 298, 310, 298), (50, 50, 55), 5)
    buffer = BytesIO()
    image.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()


def _backdrop(colour: Colour) -> Image.Image:
    """Paint a soft light from the upper left."""
    side = SIDE * SCALE
    image = Image.new("RGB", (side, side), _shade(colour, 0.88))
    light = Image.new("L", (side, side), 0)
    ImageDraw.Draw(light).ellipse((-side * 0.3, -side * 0.4, side * 0.9, side * 0.8), fill=255)
    light = light.resize((150, 150)).filter(ImageFilter.GaussianBlur(30)).resize((side, side))
    image.paste(Image.new("RGB", (side, side), _shade(colour, 1.08)), mask=light)
    return image


def _face(pen: _Pen, skin: Colour, hair: Colour) -> None:
    for cheek in ((208, 335, 258, 375), (342, 335, 392, 375)):
        pen.ellipse(cheek, _mix(skin, (222, 96, 88), 0.18))
    for middle in (256, 344):
        pen.ellipse((middle - 17, 292, middle + 17, 314), (250, 248, 244))
        pen.ellipse((middle - 10, 292, middle + 10, 314), (52, 38, 30))
        pen.ellipse((middle + 1, 296, middle + 6, 301), (255, 255, 255))
        pen.arc((middle - 28, 262, middle + 28, 300), 205, 335, _shade(hair, 0.8), 7)
    pen.arc((282, 310, 318, 362), 20, 160, _shade(skin, 0.76), 5)
    pen.arc((258, 340, 342, 396), 25, 155, (150, 62, 58), 7)


class _Pen:
    """Draws in the coordinates of the finished picture."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)

    def ellipse(self, box: Box, colour: Colour) -> None:
        self._draw.ellipse(_scaled(box), fill=colour)

    def outline(self, box: Box, colour: Colour) -> None:
        self._draw.ellipse(_scaled(box), outline=colour, width=5 * SCALE)

    def rounded(self, box: Box, radius: int, colour: Colour) -> None:
        self._draw.rounded_rectangle(_scaled(box), radius * SCALE, fill=colour)

    def chord(self, box: Box, start: int, end: int, colour: Colour) -> None:
        self._draw.chord(_scaled(box), start, end, fill=colour)

    def arc(self, box: Box, start: int, end: int, colour: Colour, width: int) -> None:
        self._draw.arc(_scaled(box), start, end, fill=colour, width=width * SCALE)

    def line(self, box: Box, colour: Colour, width: int) -> None:
        self._draw.line(_scaled(box), fill=colour, width=width * SCALE)


Painter = Callable[[_Pen, Colour], None]


class _Hair:
    def __init__(self, behind: Painter | None = None, before: Painter | None = None) -> None:
        self.behind = behind or _nothing
        self.before = before or _nothing


def _nothing(_pen: _Pen, _colour: Colour) -> None:
    """Draw nothing: some hair has no part behind the head, some none in front of it."""


def _fringe(pen: _Pen, colour: Colour) -> None:
    pen.chord((186, 140, 414, 400), 188, 352, colour)
    pen.ellipse((190, 200, 250, 272), colour)
    pen.ellipse((350, 200, 410, 272), colour)


def _long_behind(pen: _Pen, colour: Colour) -> None:
    pen.ellipse((160, 125, 440, 420), colour)
    pen.rounded((160, 260, 440, 560), 90, _shade(colour, 0.88))


def _bob_behind(pen: _Pen, colour: Colour) -> None:
    pen.ellipse((160, 125, 440, 400), colour)
    pen.rounded((160, 250, 440, 415), 60, _shade(colour, 0.9))


def _bun_behind(pen: _Pen, colour: Colour) -> None:
    pen.ellipse((240, 70, 360, 190), _shade(colour, 0.9))
    pen.ellipse((178, 135, 422, 380), colour)


def _curls(pen: _Pen, colour: Colour) -> None:
    tops = ((175, 235), (185, 190), (220, 155), (262, 138), (305, 134), (348, 145), (385, 172), (412, 212), (420, 250))
    for number, (x, y) in enumerate(tops):
        pen.ellipse((x - 36, y - 36, x + 36, y + 36), _shade(colour, 1.12 if number % 2 else 0.95))


def _curls_behind(pen: _Pen, colour: Colour) -> None:
    pen.ellipse((160, 125, 440, 390), _shade(colour, 0.9))


def _short(pen: _Pen, colour: Colour) -> None:
    pen.chord((188, 138, 412, 380), 184, 356, colour)
    pen.rounded((188, 225, 206, 300), 8, colour)
    pen.rounded((394, 225, 412, 300), 8, colour)


def _bald(pen: _Pen, colour: Colour) -> None:
    pen.rounded((186, 245, 206, 315), 10, colour)
    pen.rounded((394, 245, 414, 315), 10, colour)


def _beard(pen: _Pen, colour: Colour) -> None:
    _short(pen, colour)
    pen.chord((198, 250, 402, 452), 20, 160, colour)
    pen.arc((262, 348, 338, 384), 190, 350, colour, 14)
    pen.arc((266, 352, 334, 392), 30, 150, (150, 62, 58), 6)


HAIR = {
    "long": _Hair(_long_behind, _fringe),
    "bob": _Hair(_bob_behind, _fringe),
    "bun": _Hair(_bun_behind, _fringe),
    "curls": _Hair(_curls_behind, _curls),
    "short": _Hair(None, _short),
    "bald": _Hair(None, _bald),
    "beard": _Hair(None, _beard),
}


def _scaled(box: Box) -> Box:
    left, upper, right, lower = (value * SCALE for value in box)
    return left, upper, right, lower


def _colour(value: str | bool) -> Colour:
    red, green, blue = ImageColor.getrgb(str(value))[:3]
    return red, green, blue


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(part * factor)) for part in colour)
    return red, green, blue


def _mix(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a * (1 - share) + b * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue
