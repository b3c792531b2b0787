"""What happens to uploaded pictures: ordinary ones keep their look, and nothing else gets in."""

import struct
import zlib
from io import BytesIO

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import ImageField
from PIL import Image, ImageFilter, ImageOps

from uploads.fields import PictureField
from uploads.form_fields import PictureFormField
from uploads.pictures import COVER, LARGEST_BYTES, MOST_PIXELS, PORTRAIT, read_picture
from uploads.tests.pictures import (
    encoded,
    jpeg_of_many_scans,
    noise,
    picture,
    png_chunk,
    png_of_zeros,
    swapped_profile,
    text_bomb,
    with_notes,
)

pytestmark = pytest.mark.django_db


def upload(content, name="me.png"):
    return SimpleUploadedFile(name, content)


def kept(content, shape=COVER, name="me.png"):
    return Image.open(BytesIO(read_picture(upload(content, name), shape=shape).read()))


def is_near(pixel, wanted, by=12):
    return all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_portrait_becomes_a_square_webp(kind):
    image = kept(picture(kind), PORTRAIT)
    assert (image.format, image.mode, image.size) == ("WEBP", "RGB", (600, 600))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "wanted"),
    [((40, 20), (40, 20)), ((3200, 1000), (1600, 500)), ((1000, 3000), (533, 1600)), ((4001, 37), (1600, 15))],
)
def test_a_cover_stays_whole_and_is_never_enlarged(kind, size, wanted):
    image = kept(picture(kind, size))
    assert (image.format, image.size) == ("WEBP", wanted)
    assert is_near(image.convert("RGB").getpixel((wanted[0] - 1, wanted[1] - 1)), (255, 0, 0))


def test_a_portrait_is_cut_from_the_middle():
    wide = Image.new("RGB", (3000, 1000), "white")
    wide.paste("black", (1000, 0, 2000, 1000))
    image = kept(encoded(wide), PORTRAIT)
    assert is_near(image.getpixel((20, 300)), (0, 0, 0))
    assert is_near(image.getpixel((580, 300)), (0, 0, 0))


@pytest.mark.parametrize("name", ["../../etc/passwd.php", "x.svg", "x.html", "x", "é" * 300 + ".png", "x.bmp"])
def test_the_name_says_nothing(name):
    file = read_picture(upload(picture("JPEG"), name), shape=COVER)
    assert file.name == "picture.webp"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("shape", [PORTRAIT, COVER])
def test_position_camera_and_hidden_text_are_dropped(kind, shape):
    sent = with_notes(picture(kind), kind)
    assert sent.count(b"Canary") >= 2
    file = read_picture(upload(sent), shape=shape).read()
    assert b"anary" not in file
    image = Image.open(BytesIO(file))
    assert not image.getexif()
    assert not {"exif", "xmp", "icc_profile", "comment"} & set(image.info)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_taken_sideways_is_turned_upright(kind):
    sideways = Image.new("RGB", (800, 600), "white")
    sideways.paste("black", (0, 0, 400, 600))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise
    image = kept(encoded(sideways, kind, exif=exif)).convert("RGB")
    assert image.size == (600, 800)
    assert is_near(image.getpixel((300, 100)), (0, 0, 0))
    assert is_near(image.getpixel((300, 700)), (255, 255, 255))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_a_camera_records_is_applied(orientation):
    quarters = Image.new("RGB", (400, 200), "white")
    quarters.paste("black", (0, 0, 200, 100))
    exif = Image.Exif()
    exif[0x0112] = orientation
    sent = encoded(quarters, "JPEG", exif=exif)
    wanted, image = ImageOps.exif_transpose(Image.open(BytesIO(sent))), kept(sent).convert("RGB")
    assert image.size == wanted.size
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        place = (int(image.width * x), int(image.height * y))
        assert is_near(image.getpixel(place), wanted.getpixel(place))


def test_every_picture_of_every_model_is_read_by_forms_and_the_admin(rf):
    """No path stores what was sent: `PictureField` refuses it, and each form made from a model re-encodes it."""
    stored = [field for model in apps.get_models() for field in model._meta.concrete_fields]
    pictures = [field for field in stored if isinstance(field, ImageField)]
    assert len(pictures) >= 3
    for field in pictures:
        assert isinstance(field, PictureField), field
        assert isinstance(field.formfield(), PictureFormField)
        request = rf.get("/")
        request.user = get_user_model()(is_superuser=True, is_staff=True, is_active=True)
        form = site._registry[field.model].get_form(request)
        if field.name in form.base_fields:
            assert isinstance(form.base_fields[field.name], PictureFormField), field


def test_notes_that_cannot_be_read_do_not_cost_the_picture():
    assert kept(picture("JPEG", exif=b"Exif\0\0" + b"\xff" * 200)).size == (40, 20)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_colours_of_another_profile_look_the_same(kind):
    told_red = encoded(Image.new("RGB", (64, 64), (255, 0, 0)), kind, icc_profile=swapped_profile())
    assert is_near(kept(told_red).convert("RGB").getpixel((32, 32)), (0, 0, 255), by=30)
    assert is_near(kept(told_red, PORTRAIT).getpixel((32, 32)), (0, 0, 255), by=30)


def test_transparent_colours_of_another_profile_look_the_same():
    told_red = encoded(Image.new("RGBA", (64, 64), (255, 0, 0, 128)), icc_profile=swapped_profile())
    assert is_near(kept(told_red).getpixel((32, 32)), (0, 0, 255, 128), by=30)


@pytest.mark.parametrize("profile", [b"rubbish", swapped_profile()[:200], swapped_profile()[:-400]])
def test_a_broken_profile_does_not_cost_the_picture(profile):
    assert is_near(kept(picture("JPEG", icc_profile=profile)).getpixel((5, 5)), (254, 0, 0))


def test_print_colours_become_screen_colours():
    cyan = encoded(Image.new("CMYK", (64, 64), (255, 0, 0, 0)), "JPEG")
    red, green, blue = kept(cyan).getpixel((32, 32))
    assert red < 60
    assert min(green, blue) > 160


def test_transparency_survives_in_covers_and_stands_on_white_in_portraits():
    for mode in ("RGBA", "LA"):
        clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0)).convert(mode)
        assert kept(encoded(clear)).getpixel((32, 32))[3] == 0
        assert kept(encoded(clear), PORTRAIT).getpixel((32, 32)) == (255, 255, 255)


def test_transparency_of_a_palette_survives():
    image = Image.new("P", (64, 64), 0)
    image.putpalette([0, 0, 0, 0, 128, 0])
    image.paste(1, (32, 0, 64, 64))
    shown = kept(encoded(image, transparency=0))
    assert shown.getpixel((8, 32))[3] == 0
    assert is_near(shown.getpixel((56, 32)), (0, 128, 0, 255))


@pytest.mark.parametrize(("mode", "key"), [("L", 0), ("RGB", (0, 0, 0)), ("1", 0)])
def test_a_colour_that_stands_for_transparency_survives(mode, key):
    assert kept(encoded(Image.new(mode, (64, 64), 0), transparency=key)).getpixel((32, 32))[3] == 0


@pytest.mark.parametrize(
    ("colour_type", "key", "other"),
    [(0, (0x9C40,), (0x1000,)), (2, (0x9C40, 0x4E20, 0x03E8), (0x1000, 0x2000, 0x3000))],
)
def test_a_colour_of_sixteen_bits_that_stands_for_transparency_survives(colour_type, key, other):
    row = b"\0" + b"".join(struct.pack(">H", value) for colour in (key, other) for value in colour * 32)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 16, colour_type, 0, 0, 0))
        + png_chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
        + png_chunk(b"IDAT", zlib.compress(row * 64))
        + png_chunk(b"IEND", b"")
    )
    shown = kept(content)
    assert shown.getpixel((8, 32))[3] == 0
    assert shown.getpixel((56, 32))[3] == 255


def test_edges_towards_nothing_get_no_dark_seam():
    image = Image.new("RGBA", (4000, 100), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (1001, 0, 4000, 100))
    row = [kept(encoded(image)).getpixel((x, 20)) for x in range(395, 410)]
    assert all(min(pixel[:3]) > 230 for pixel in row if pixel[3] > 40)


@pytest.mark.parametrize(("value", "wanted"), [(0, 0), (0x8000, 128), (0xFFFF, 255), (0x4000, 64)])
def test_sixteen_bits_of_grey_keep_their_shade(value, wanted):
    grey = Image.new("I;16", (64, 64), value)
    assert is_near(kept(encoded(grey)).getpixel((32, 32)), (wanted,) * 3, by=3)


def test_sixteen_bits_of_colour_are_read():
    assert kept(png_of_zeros((50, 50), depth=16)).getpixel((5, 5)) == (0, 0, 0)
    assert kept(png_of_zeros((50, 50), depth=16, colour_type=6)).getpixel((5, 5))[3] == 0


@pytest.mark.parametrize("mode", ["P", "L", "LA", "1"])
def test_every_colour_mode_is_read(mode):
    assert kept(encoded(Image.new("RGB", (40, 20), "white").convert(mode)), PORTRAIT).getpixel((9, 9)) == (255,) * 3


def test_detail_is_averaged_whatever_way_the_picture_is_taken_apart():
    """The strips join without a seam."""
    rings = Image.radial_gradient("L").resize((3333, 3331), Image.Resampling.BICUBIC)
    wanted = rings.resize((1600, 1599), Image.Resampling.LANCZOS)
    found = kept(encoded(rings)).convert("L")
    assert found.size == wanted.size
    seams = [
        abs(a - b)
        for a, b in zip(
            found.filter(ImageFilter.BoxBlur(3)).tobytes(), wanted.filter(ImageFilter.BoxBlur(3)).tobytes(), strict=True
        )
    ]
    assert max(seams) <= 6


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_becomes_its_first_frame(kind):
    first, second = Image.new("RGB", (40, 40), "red"), Image.new("RGB", (40, 40), "blue")
    image = kept(encoded(first, kind, save_all=True, append_images=[second] * 3, duration=50))
    assert getattr(image, "n_frames", 1) == 1
    assert is_near(image.convert("RGB").getpixel((20, 20)), (255, 0, 0))


def test_a_phones_jpeg_of_several_pictures_becomes_the_first():
    first, second = Image.new("RGB", (40, 40), "red"), Image.new("RGB", (20, 20), "blue")
    content = encoded(first, "MPO", save_all=True, append_images=[second])
    assert Image.open(BytesIO(content)).format == "MPO"
    assert is_near(kept(content).getpixel((20, 20)), (254, 0, 0))


HOSTILE = {
    "nothing": b"",
    "text": b"hello",
    "php": b"<?php system($_GET[0]); ?>",
    "html": b"<html><script>alert(1)</script></html>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "gif": picture("GIF"),
    "bmp": picture("BMP"),
    "tiff": picture("TIFF"),
    "ico": picture("ICO", (32, 32)),
    "jpeg 2000": picture("JPEG2000"),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(id) system\n",
    "png head only": picture()[:30],
    "png cut": noise()[:-50_000],
    "jpeg cut early": noise("JPEG")[:200],
    "jpeg cut late": noise("JPEG")[:-3000],
    "jpeg cut, progressive": noise("JPEG", progressive=True)[:-10_000],
    "jpeg cut, then a page": noise("JPEG")[:-3000] + b"<script>alert(1)</script>",
    "webp cut": noise("WEBP")[:-3000],
    "jpeg head and rubbish": b"\xff\xd8\xff\xe0" + b"\x00" * 500,
    "webp head and rubbish": b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\x00" * 100,
    "zeros": b"\x00" * 1000,
    "no pixels": png_of_zeros((10, 10)).replace(b"\0\0\0\x0a\0\0\0\x0a", b"\0\0\0\0\0\0\0\0", 1),
    "comment of 100 MB": text_bomb(),
    "comments of 100 MB in all": picture()[:33] + text_bomb()[33:120_000],
    "broken checksum": picture().replace(b"IDAT", b"IDAT\x01", 1),
}


@pytest.mark.parametrize("shape", [PORTRAIT, COVER])
@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("name", ["me.png", "me.jpg"])
def test_hostile_and_broken_files_are_refused(content, shape, name):
    with pytest.raises(ValidationError) as refusal:
        read_picture(SimpleUploadedFile(name, content), shape=shape)
    assert refusal.value.code == "unreadable"


def test_more_than_5_mb_is_refused():
    with pytest.raises(ValidationError, match="5 MB"):
        read_picture(upload(bytes(LARGEST_BYTES + 1)), shape=COVER)


@pytest.mark.parametrize(
    ("kind", "size"),
    [("PNG", (7700, 7700)), ("PNG", (6400, 6400)), ("PNG", (40_000_001, 1)), ("PNG", (13_000, 13_000))],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused(kind, size):
    with pytest.raises(ValidationError) as refusal:
        read_picture(upload(png_of_zeros(size, depth=1, colour_type=0)), shape=COVER)
    assert refusal.value.code == "too_many_pixels"


@pytest.mark.parametrize(
    ("kind", "side", "options"),
    [("JPEG", 7220, {}), ("JPEG", 5010, {"progressive": True}), ("WEBP", 4010, {}), ("PNG", 20_000, {"mode": "1"})],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_how_many_are_too_many_depends_on_what_decoding_costs(kind, side, options):
    content = picture(kind, (side, side), **{"mode": "L" if kind == "JPEG" else "RGB", "colour": 0} | options)
    with pytest.raises(ValidationError) as refusal:
        read_picture(upload(content), shape=COVER)
    assert refusal.value.code == "too_many_pixels"


@pytest.mark.parametrize("size", [(1, 39_000_000), (39_000_000, 1), (1, 65_536)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_millions_of_short_rows_is_refused(size):
    with pytest.raises(ValidationError) as refusal:
        read_picture(upload(png_of_zeros(size, depth=1, colour_type=0)), shape=PORTRAIT)
    assert refusal.value.code == "too_long"


def test_what_phones_take_is_read():
    assert MOST_PIXELS["JPEG"] >= 8192 * 6144
    assert kept(picture("JPEG", (8192, 6144), quality=40)).size == (1600, 1200)


@pytest.mark.parametrize("size", [(1, 1), (1, 39_000), (39_000, 1), (65_000, 600)])
def test_odd_shapes_are_read(size):
    image = kept(png_of_zeros(size, depth=1, colour_type=0))
    assert max(image.size) <= 1600
    assert kept(png_of_zeros(size, depth=1, colour_type=0), PORTRAIT).size == (600, 600)


def test_a_jpeg_that_goes_over_its_picture_without_end_is_refused():
    assert kept(jpeg_of_many_scans(3)).size == (64, 64)
    with pytest.raises(ValidationError) as refusal:
        read_picture(upload(jpeg_of_many_scans(5000)), shape=COVER)
    assert refusal.value.code == "scans"


def test_an_end_hidden_in_a_comment_hides_no_scans():
    content = jpeg_of_many_scans(100)
    second = content.index(b"\xff\xda", content.index(b"\xff\xda") + 2)
    hidden = content[:second] + b"\xff\xfe\x00\x06\xff\xd9\xff\xd9" + content[second:]
    with pytest.raises(ValidationError) as refusal:
        read_picture(upload(hidden), shape=COVER)
    assert refusal.value.code == "scans"


def test_an_unknown_chunk_is_dropped():
    whole = picture()
    assert (
        b"canary"
        not in read_picture(upload(whole[:33] + png_chunk(b"caNy", b"canary") + whole[33:]), shape=COVER).read()
    )
