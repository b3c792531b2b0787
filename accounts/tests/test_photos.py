from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from accounts import photos
from accounts.photos import LARGEST_BYTES, read_photo


def picture(kind="PNG", size=(40, 20), mode="RGB", **options):
    buffer = BytesIO()
    Image.new(mode, size, "red").save(buffer, kind, **options)
    return buffer.getvalue()


def upload(content, name="me.png", kind="image/png"):
    return SimpleUploadedFile(name, content, kind)


def opened(file):
    return Image.open(BytesIO(file.read()))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_photo_becomes_a_square_webp_under_a_new_name(kind):
    file = read_photo(upload(picture(kind), name="../../etc/passwd.php"))
    image = opened(file)
    assert (image.format, image.size) == ("WEBP", (600, 600))
    assert file.name.endswith(".webp")
    assert "/" not in file.name
    assert "passwd" not in file.name


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "1", "I;16"])
def test_every_colour_mode_is_read(mode):
    assert opened(read_photo(upload(picture(mode="L" if mode == "I;16" else mode)))).mode == "RGB"


def test_position_camera_and_hidden_text_are_dropped():
    exif = Image.Exif()
    exif[0x010F] = "CanaryCamera"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    sent = picture("JPEG", exif=exif) + b"<?php canary ?>"
    assert b"CanaryCamera" in sent
    file = read_photo(upload(sent))
    kept = file.read()
    assert b"CanaryCamera" not in kept
    assert b"canary" not in kept
    assert not Image.open(BytesIO(kept)).getexif()
    text = PngInfo()
    text.add_text("Comment", "canary")
    assert b"canary" not in read_photo(upload(picture(pnginfo=text))).read()


def test_a_photo_taken_sideways_is_turned_upright():
    sideways = Image.new("RGB", (600, 600), "white")
    sideways.paste("black", (0, 0, 300, 600))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to show
    buffer = BytesIO()
    sideways.save(buffer, "JPEG", exif=exif)
    shown = opened(read_photo(upload(buffer.getvalue())))
    assert sum(shown.getpixel((300, 100))) < 60
    assert sum(shown.getpixel((300, 500))) > 700


HOSTILE = {
    "text": b"hello",
    "php": b"<?php system($_GET[0]); ?>",
    "html": b"<html><script>alert(1)</script></html>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "gif": picture("GIF"),
    "bmp": picture("BMP"),
    "tiff": picture("TIFF"),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(id) system\n",
    "png head only": picture()[:30],
    "png cut": picture(size=(300, 300))[:120],
    "jpeg cut": picture("JPEG", size=(300, 300))[:200],
    "jpeg head and rubbish": b"\xff\xd8\xff\xe0" + b"\x00" * 500,
    "webp head and rubbish": b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\x00" * 100,
    "zeros": b"\x00" * 1000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_and_broken_files_are_refused(content):
    with pytest.raises(ValidationError):
        read_photo(upload(content))


def test_more_than_5_mb_is_refused_before_it_is_opened(monkeypatch):
    monkeypatch.setattr(photos.Image, "open", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(ValidationError, match="5 MB"):
        read_photo(upload(b"\x00" * (LARGEST_BYTES + 1)))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(9000, 9000), (20_000, 20_000)])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused(size):
    bomb = picture(mode="1", size=size)
    assert len(bomb) < 1_000_000
    with pytest.raises(ValidationError):
        read_photo(upload(bomb))
