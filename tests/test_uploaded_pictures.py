"""Each form that takes a picture checks it in the same way, and reports a problem at the field."""

from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.tests.factories import TeacherFactory
from tests.doors import DOORS
from uploads.tests.pictures import noise, picture, png_of_zeros, text_bomb, with_notes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    settings.STAFF_NEEDS_MFA = False
    return tmp_path


@pytest.fixture(params=DOORS, ids=lambda door: door.__name__)
def door(request):
    return request.param()


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "me.jpg"), ("PNG", "a.jpg"), ("WEBP", "x" * 150 + ".png")])
def test_a_picture_is_kept_as_pixels_alone(door, media, kind, name):
    answer = door.send(SimpleUploadedFile(name, with_notes(picture(kind, (400, 200)), kind)))
    assert answer.status_code == 302
    kept = Path(door.stored.path).read_bytes()
    assert b"anary" not in kept
    image = Image.open(BytesIO(kept))
    assert image.format == "WEBP"
    assert image.size == ((600, 600) if door.field == "photo" else (400, 200))
    assert door.stored.name.endswith(".webp")
    assert len(files_in(media)) == 1


HOSTILE = {
    "bmp as jpg": ("a.jpg", lambda: picture("BMP")),
    "gif as png": ("a.png", lambda: picture("GIF")),
    "tiff as png": ("a.png", lambda: picture("TIFF")),
    "ico as png": ("a.png", lambda: picture("ICO", (32, 32))),
    "cut jpeg": ("a.jpg", lambda: noise("JPEG")[:-3000]),
    "bomb": ("a.png", text_bomb),
    "page": ("a.png", lambda: b"<script>alert(1)</script>"),
    "13,000 squared": ("a.png", lambda: png_of_zeros((13_000, 13_000), depth=1, colour_type=0)),
    "7,700 squared": ("a.png", lambda: png_of_zeros((7700, 7700), depth=1, colour_type=0)),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_picture_is_refused_at_its_field_and_nothing_is_saved(door, media, kind):
    name, make = HOSTILE[kind]
    before = door.text
    answer = door.send(SimpleUploadedFile(name, make()))
    assert answer.status_code in (200, 400, 422)
    assert "picture" in answer.content.decode().partition("errorlist")[2].partition("</ul>")[0]
    assert (door.text, bool(door.stored), files_in(media)) == (before, False, [])


def test_a_page_shows_the_picture_there_is_and_removes_it(door):
    door.send(SimpleUploadedFile("a.png", picture()))
    assert door.stored.url in door.page().content.decode()
    assert 'accept="image/jpeg,image/png,image/webp"' in door.page().content.decode()
    door.send()
    assert door.stored
    door.send(**{f"{door.field}-clear": "on"})
    assert not door.stored


@pytest.mark.parametrize("content", [b"<script>alert(1)</script>", picture()])
def test_no_code_saves_a_picture_past_the_door(media, content):
    teacher = TeacherFactory()
    teacher.photo = SimpleUploadedFile("a.png", content)
    with pytest.raises(TypeError, match="read_picture"):
        teacher.save()
    assert files_in(media) == []


def test_busy_is_said_at_the_field(door, settings, monkeypatch):
    from uploads import slots

    monkeypatch.setattr(slots, "WAIT_SECONDS", 0.1)
    settings.PICTURES_AT_ONCE = 0  # as if all slots were taken
    answer = door.send(SimpleUploadedFile("a.png", picture()))
    assert "again in a minute" in answer.content.decode()
    assert not door.stored


@pytest.mark.parametrize(
    "path",
    ["a" * 300, "a/" * 300, "a" * 300 + "/b.webp", "teachers/%00.webp", "%F0%9F%98%80" * 100, "teachers/", "x%0a"],
)
def test_any_address_of_a_file_that_is_none_is_a_404(client, path):
    assert client.get(f"/media/{path}").status_code == 404


def test_an_address_outside_of_the_folder_is_refused(client, media):
    (media / "a").mkdir()
    for path in ("../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "a/../../../etc/passwd", "..%5c..%5cetc"):
        assert client.get(f"/media/{path}").status_code in (400, 404)


@pytest.mark.parametrize("path", ["a" * 300, "%00", "a/" * 400])
def test_any_address_of_a_static_file_that_is_none_is_a_404(client, path):
    assert client.get(f"/static/{path}").status_code == 404
