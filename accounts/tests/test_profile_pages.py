from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import Teacher, User
from accounts.tests.factories import TeacherFactory, UserFactory

pytestmark = pytest.mark.django_db
DETAILS = {
    "display_name": "Ada Lovelace",
    "headline": "Numbers for poets",
    "biography": "I **count**.",
    "languages": "English, fr",
    "regions": "United Kingdom, us-ca",
}
PROFILE = {"full_name": "Ada", "time_zone": "asia/tokyo", "language": "en-gb"}


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def user(client):
    user = UserFactory(full_name="Ada King", time_zone="Europe/London")
    client.force_login(user)
    return user


@pytest.fixture
def teacher(client):
    teacher = TeacherFactory()
    client.force_login(teacher.user)
    return teacher


def png(colour="red"):
    buffer = BytesIO()
    Image.new("RGB", (10, 10), colour).save(buffer, "PNG")
    return SimpleUploadedFile("me.png", buffer.getvalue(), "image/png")


def test_a_person_changes_name_and_zone(client, user):
    assert client.post("/my/profile/", PROFILE)["Location"] == "/my/profile/"
    user.refresh_from_db()
    assert (user.full_name, user.time_zone) == ("Ada", "Asia/Tokyo")


@pytest.mark.parametrize(
    "change",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": ""},
        {"full_name": "a\x00b"},
        {"full_name": "a" * 151},
        {"full_name": " "},
        {"language": "xx"},
        {"language": ["en-gb", "fr"]},
    ],
)
def test_odd_profiles_are_refused_and_change_nothing(client, user, change):
    assert client.post("/my/profile/", PROFILE | change).status_code == 422
    user.refresh_from_db()
    assert (user.full_name, user.time_zone) == ("Ada King", "Europe/London")


def test_power_cannot_be_posted(client, user):
    client.post("/my/profile/", PROFILE | {"is_staff": "1", "is_superuser": "1", "email": "boss@example.org"})
    changed = User.objects.get(pk=user.pk)
    assert (changed.is_staff, changed.is_superuser, changed.email) == (False, False, user.email)


def test_applying_shows_the_application_afterwards(client, user):
    assert client.get("/teach/apply/").status_code == 200
    assert client.post("/teach/apply/", DETAILS)["Location"] == "/teach/apply/"
    teacher = Teacher.objects.get(user=user)
    assert (teacher.languages, teacher.regions) == (["en", "fr"], ["GB", "US-CA"])
    shown = client.get("/teach/apply/").content.decode()
    assert "<strong>count</strong>" in shown


def test_status_and_commission_cannot_be_posted(client, user):
    client.post("/teach/apply/", DETAILS | {"status": "approved", "commission_bps": "0", "slug": "x", "user": "1"})
    teacher = Teacher.objects.get(user=user)
    assert (teacher.status, teacher.commission_bps, teacher.slug) == ("applied", None, "ada-lovelace")


@pytest.mark.parametrize(
    "change",
    [
        {"languages": "Klingon"},
        {"languages": ""},
        {"languages": ",,,"},
        {"languages": "en," * 400},
        {"regions": "Atlantis"},
        {"regions": "US-<script>"},
        {"regions": "ZZ"},
        {"biography": ""},
        {"biography": "a" * 10_001},
        {"biography": "\x00"},
        {"display_name": ""},
        {"display_name": "a" * 101},
    ],
)
def test_odd_applications_are_refused(client, user, change):
    response = client.post("/teach/apply/", DETAILS | change)
    assert response.status_code == 422
    assert b"<script>" not in response.content.replace(b"<script src", b"")
    assert not Teacher.objects.exists()


def test_a_misspelt_language_gets_a_hint(client, user):
    assert "Did you mean French?" in client.post("/teach/apply/", DETAILS | {"languages": "Frensh"}).content.decode()


def test_approved_teachers_are_sent_from_the_application_to_their_page(client, teacher):
    assert client.get("/teach/apply/")["Location"] == "/teach/profile/"


def test_a_teacher_changes_their_page_and_photo(client, teacher, media, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post("/teach/profile/", DETAILS | {"photo": png()}).status_code == 302
    teacher.refresh_from_db()
    first = teacher.photo.name
    assert teacher.headline == "Numbers for poets"
    with Image.open(teacher.photo.path) as stored:
        assert stored.size == (600, 600)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/teach/profile/", DETAILS | {"photo": png("blue")})
    teacher.refresh_from_db()
    assert teacher.photo.name != first
    assert [p.name for p in (media / "teachers").iterdir()] == [teacher.photo.name.removeprefix("teachers/")]


def test_saving_without_a_photo_keeps_it_and_the_checkbox_removes_it(
    client, teacher, media, django_capture_on_commit_callbacks
):
    client.post("/teach/profile/", DETAILS | {"photo": png()})
    client.post("/teach/profile/", DETAILS)
    teacher.refresh_from_db()
    assert teacher.photo
    assert f'<img src="{teacher.photo.url}"' in client.get("/teach/profile/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/teach/profile/", DETAILS | {"photo-clear": "on"})
    teacher.refresh_from_db()
    assert not teacher.photo
    assert list((media / "teachers").iterdir()) == []


@pytest.mark.parametrize("content", [b"hello", b"<svg onload=alert(1)>", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_a_hostile_photo_is_refused_and_changes_nothing(client, teacher, media, content):
    before = teacher.headline
    response = client.post("/teach/profile/", DETAILS | {"photo": SimpleUploadedFile("x.png", content, "image/png")})
    assert response.status_code == 422
    teacher.refresh_from_db()
    assert (teacher.headline, bool(teacher.photo)) == (before, False)
    assert not (media / "teachers").exists()


def test_the_preview_shows_markdown_and_no_script(client, user):
    response = client.post("/teach/profile/preview/", {"biography": "**x** <script>alert(1)</script>"})
    assert b"<strong>x</strong>" in response.content
    assert b"<script>" not in response.content


@pytest.mark.parametrize("name", ["profile", "teacher_apply", "teacher_profile", "markdown_preview"])
def test_no_page_changes_anything_without_a_csrf_token_or_for_guests(name):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(TeacherFactory().user)
    assert strict.post(reverse(f"accounts:{name}"), DETAILS | PROFILE).status_code == 403
    assert Client().post(reverse(f"accounts:{name}"))["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", ["profile", "teacher_apply", "teacher_profile"])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(client, teacher, name, method):
    assert getattr(client, method)(reverse(f"accounts:{name}")).status_code == 405


def test_the_preview_takes_posts_only(client, user):
    assert client.get("/teach/profile/preview/").status_code == 405
