"""The front page, teachers' pages and the page where teachers edit their subjects."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory, UserFactory
from catalogue.expertise import set_expertise
from catalogue.models import Expertise
from catalogue.tests.factories import ListingFactory, SubjectFactory
from money import Money

pytestmark = pytest.mark.django_db


def fill(number, teacher=None):
    for index in range(number):
        subject = SubjectFactory()
        whose = teacher or TeacherFactory()
        ListingFactory(subject=subject, teacher=whose, starts_at=timezone.now() + timedelta(days=1 + index))
        ListingFactory(subject=subject, teacher=whose)
        ListingFactory(subject=subject, teacher=whose, is_by_request=True)
        set_expertise(teacher=whose, subject=subject, levels=["beginner"])


def queries_of(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_the_front_page_works_without_listings(client):
    page = client.get("/").content.decode()
    assert page.count("<h1") == 1
    assert "Starting soon" not in page


def test_the_front_page_shows_offers_subjects_and_teachers(client):
    soon = ListingFactory(
        title="Soon", starts_at=timezone.now() + timedelta(days=1), subject=SubjectFactory(name="Lute")
    )
    ListingFactory(title="Gone", starts_at=timezone.now() - timedelta(days=1))
    ListingFactory(title="Hidden", teacher=TeacherFactory(status=Teacher.Status.SUSPENDED, display_name="Nobody"))
    page = client.get("/").content.decode()
    assert "Soon" in page
    assert "/browse/?subject=lute" in page
    assert soon.teacher.display_name in page
    assert "Gone" not in page
    assert "Hidden" not in page
    assert "Nobody" not in page


@pytest.mark.parametrize("signed_in", [False, True])
def test_the_front_page_takes_a_constant_number_of_queries(client, signed_in):
    if signed_in:
        client.force_login(UserFactory())
    fill(1)
    few = queries_of(client, "/")
    fill(10)
    assert queries_of(client, "/") == few


def test_a_teachers_page_shows_profile_and_offers(client):
    teacher = TeacherFactory(
        display_name="Ada King",
        headline="Numbers, gently",
        biography="I **count**.\n\n<script>alert(1)</script>",
        languages=["fr"],
        regions=["US-CA"],
        user__time_zone="Asia/Tokyo",
    )
    set_expertise(teacher=teacher, subject=SubjectFactory(name="Sums"), levels=["advanced", "beginner"])
    ListingFactory(
        teacher=teacher, title="An hour", is_by_request=True, prices=[Money(4000, "GBP"), Money(4500, "EUR")]
    )
    ListingFactory(teacher=teacher, title="In May", starts_at=timezone.now() + timedelta(days=3))
    ListingFactory(teacher=teacher, title="By yourself")
    page = client.get(teacher.get_absolute_url()).content.decode()
    for words in (
        "Ada King", "Numbers, gently", "<strong>count</strong>", "French", "United States (CA)", "Asia/Tokyo", "Sums",
        "beginner, advanced", "£40.00", "An hour", "In May", "By yourself",
    ):  # fmt: skip
        assert words in page
    assert "<script>alert" not in page
    assert page.count("<h1") == 1


@pytest.mark.parametrize("status", [Teacher.Status.APPLIED, Teacher.Status.DECLINED, Teacher.Status.SUSPENDED])
def test_only_approved_teachers_have_a_page(client, status):
    assert client.get(TeacherFactory(status=status).get_absolute_url()).status_code == 404


def test_a_teachers_page_takes_a_constant_number_of_queries(client):
    teacher = TeacherFactory()
    fill(1, teacher)
    few = queries_of(client, teacher.get_absolute_url())
    fill(10, teacher)
    assert queries_of(client, teacher.get_absolute_url()) == few


def test_a_teacher_adds_changes_and_removes_a_subject(client):
    teacher = TeacherFactory()
    lute = SubjectFactory(name="Lute")
    client.force_login(teacher.user)
    url = reverse("catalogue:expertise_edit")
    client.post(url, {"subject": lute.pk, "levels": ["beginner"]})
    client.post(url, {"subject": lute.pk, "levels": ["advanced", "beginner"]})
    expertise = Expertise.objects.get()
    assert expertise.level_labels == ["Beginner", "Advanced"]
    assert "Lute" in client.get(url).content.decode()
    client.post(reverse("catalogue:expertise_remove", args=[expertise.pk]))
    assert not Expertise.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [{}, {"subject": "9" * 60, "levels": "beginner"}, {"subject": "\x00", "levels": "beginner"}, {"levels": "boss"}],
)
def test_an_invalid_subject_or_level_is_refused(client, sent):
    client.force_login(TeacherFactory().user)
    assert client.post(reverse("catalogue:expertise_edit"), sent).status_code == 400
    assert not Expertise.objects.exists()


def test_another_teachers_subject_is_not_found(client):
    expertise = set_expertise(teacher=TeacherFactory(), subject=SubjectFactory(), levels=["beginner"])
    client.force_login(TeacherFactory().user)
    assert client.post(reverse("catalogue:expertise_remove", args=[expertise.pk])).status_code == 404
    assert client.post(f"/teach/subjects/{'9' * 30}/remove/").status_code == 404
    assert Expertise.objects.exists()


def test_only_teachers_can_edit_subjects(client):
    url = reverse("catalogue:expertise_edit")
    assert client.get(url)["Location"].startswith("/accounts/login/")
    client.force_login(UserFactory())
    assert client.get(url).status_code == 302
    client.force_login(TeacherFactory(status=Teacher.Status.APPLIED).user)
    assert client.post(url, {"subject": SubjectFactory().pk, "levels": "beginner"}).status_code == 302
    assert not Expertise.objects.exists()


def test_removing_needs_a_post(client):
    client.force_login(TeacherFactory().user)
    assert client.get(reverse("catalogue:expertise_remove", args=[1])).status_code == 405


def test_the_search_suggests_only_what_is_found(client):
    ListingFactory(subject=SubjectFactory(name="Lute"))
    SubjectFactory(name="Calculus")
    page = client.get("/").content.decode()
    assert 'placeholder="Lute…"' in page
    assert client.get("/browse/", {"q": "Lute"}).context["page"].paginator.count == 1


@pytest.mark.parametrize("path", ["/", "/browse/?q=lute"])
def test_every_page_has_the_search_of_the_header(client, path):
    page = client.get(path).content.decode()
    assert 'id="site-search"' in page
    assert ('value="lute"' in page) == ("lute" in path)


def test_names_are_sorted_as_people_look_for_them(client):
    for name in ("Zebra", "Übersetzen", "Äpfel", "Łyżwy", "Mosaic", "apples", "Öland"):
        ListingFactory(
            subject=SubjectFactory(name=name, slug=f"s{ord(name[0])}"), teacher=TeacherFactory(display_name=name)
        )
    sorted_names = ["Äpfel", "apples", "Łyżwy", "Mosaic", "Öland", "Übersetzen", "Zebra"]
    choices = [label for _, label in client.get("/browse/").context["form"].fields["subject"].choices]
    assert choices == ["Any subject", *sorted_names]
    teachers = [teacher.display_name for teacher in client.get("/").context["teachers"]]
    assert teachers == [name for name in sorted_names if name in teachers]


def test_texts_of_people_decide_their_own_direction(client):
    listing = ListingFactory(title="العود", teacher=TeacherFactory(display_name="علی‌رضا", headline="استاد"))
    for path in ("/", "/browse/"):
        page = client.get(path).content.decode()
        assert 'dir="auto">العود' in page
        assert 'dir="auto">علی‌رضا' in page
    assert '<h1 dir="auto">علی‌رضا' in client.get(listing.teacher.get_absolute_url()).content.decode()


def test_a_teachers_page_shows_lessons_as_cards_in_the_readers_currency(client):
    teacher = TeacherFactory()
    set_expertise(teacher=teacher, subject=SubjectFactory(name="Lute"), levels=["beginner"])
    lesson = ListingFactory(
        teacher=teacher, title="An hour", is_by_request=True, prices=[Money(4000, "GBP"), Money(4500, "EUR")]
    )
    client.cookies["display_currency"] = "EUR"
    page = client.get(teacher.get_absolute_url()).content.decode()
    assert f'<a href="{lesson.url}"' in page
    assert "€45.00" in page
    assert "£40.00" not in page
    assert 'aria-label="Breadcrumb"' in page
    assert "Request lessons" in page
