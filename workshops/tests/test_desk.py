"""The teacher's desk: teachers create, edit, publish and withdraw their own workshops, and no others."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory, UserFactory
from catalogue.models import Expertise, Listing, Subject
from money import Money
from workshops.handler import WorkshopHandler
from workshops.models import Registration, Workshop
from workshops.tests.factories import in_half_an_hour, make_line, make_workshop

pytestmark = pytest.mark.django_db
handler = WorkshopHandler()
CREATE = "/teach/workshops/new/"


@pytest.fixture
def teacher():
    return TeacherFactory()


@pytest.fixture
def desk(teacher):
    client = Client()
    client.force_login(teacher.user)
    return client


def filled_in(**changes):
    """The form data a browser sends for a complete workshop."""
    day = (timezone.now() + timedelta(days=30)).date().isoformat()
    subject = Subject.objects.get_or_create(name="Baking", slug="baking")[0]
    fields = {
        "title": "Bread",
        "summary": "A day at the oven.",
        "description": "",
        "subject": subject.pk,
        "levels": ["beginner"],
        "language": "en",
        "online_url": "",
        "place": "Leeds",
        "address": "1 Mill Lane",
        "time_zone": "Europe/London",
        "capacity": "12",
        "registration_opens_at": "",
        "registration_closes_at": "",
        "sessions-TOTAL_FORMS": "3",
        "sessions-INITIAL_FORMS": "0",
        "sessions-0-day": day,
        "sessions-0-starts": "10:00",
        "sessions-0-ends": "16:00",
        "price-GBP-amount": "45.00",
        "price-JPY-amount": "8400",
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def errors_of(response):
    assert response.status_code == 400
    return response.content.decode()


def test_a_teacher_creates_and_publishes_a_workshop(desk, teacher):
    response = desk.post(CREATE, filled_in(publish="1"))
    assert response.url == reverse("workshops:desk")
    workshop = Workshop.objects.get()
    assert workshop.teacher == teacher
    assert workshop.is_published
    assert {str(price.currency): price.amount for price in workshop.prices.all()} == {
        "GBP": Money(4500, "GBP"),
        "JPY": Money(8400, "JPY"),
    }
    assert Listing.objects.get(domain="workshops").title == "Bread"


def test_a_draft_needs_no_sessions_or_prices_but_publishing_does(desk):
    bare = {name: None for name in filled_in() if name.startswith(("sessions-0", "price"))}
    assert desk.post(CREATE, filled_in(**bare)).status_code == 302
    workshop = Workshop.objects.get()
    assert workshop.state == "draft"
    response = desk.post(reverse("workshops:publish", args=[workshop.slug]))
    assert response.url == reverse("workshops:edit", args=[workshop.slug])
    workshop.refresh_from_db()
    assert workshop.state == "draft"


def test_times_are_read_in_the_zone_of_the_workshop(desk):
    with time_machine.travel(datetime(2026, 5, 1, tzinfo=UTC)):
        desk.post(CREATE, filled_in(time_zone="Europe/Paris", **{"sessions-0-day": "2026-07-01"}))
        session = Workshop.objects.get().sessions.get()
        assert session.starts_at == datetime(2026, 7, 1, 8, tzinfo=UTC)
        html = desk.get(reverse("workshops:edit", args=[Workshop.objects.get().slug])).content.decode()
        assert 'value="10:00"' in html


@pytest.mark.parametrize("starts", ["01:30", "02:30"])
def test_a_time_that_the_clock_change_skips_or_repeats_is_refused(desk, teacher, starts):
    day = {"01:30": "2027-10-31", "02:30": "2027-03-28"}[starts]
    zone = {"01:30": "Europe/London", "02:30": "Europe/Paris"}[starts]
    with time_machine.travel(datetime(2027, 1, 1, tzinfo=UTC)):
        desk.force_login(teacher.user)
        sent = filled_in(time_zone=zone, **{"sessions-0-day": day, "sessions-0-starts": starts})
        assert "interpreted" in errors_of(desk.post(CREATE, sent))
    assert not Workshop.objects.exists()


def test_an_edit_keeps_what_was_not_changed_and_drops_emptied_sessions(desk, teacher):
    desk.post(CREATE, filled_in(publish="1", **{"sessions-1-day": "", "sessions-1-starts": ""}))
    workshop = Workshop.objects.get()
    slug = workshop.slug
    day = (timezone.now() + timedelta(days=40)).date().isoformat()
    sent = filled_in(
        title="Sourdough",
        **{
            "sessions-INITIAL_FORMS": "1",
            "sessions-0-day": "",
            "sessions-0-starts": "",
            "sessions-0-ends": "",
            "sessions-1-day": day,
            "sessions-1-starts": "09:00",
            "sessions-1-ends": "10:00",
            "price-JPY-amount": "",
        },
    )
    assert desk.post(reverse("workshops:edit", args=[slug]), sent).status_code == 302
    workshop.refresh_from_db()
    assert (workshop.title, workshop.slug, workshop.state) == ("Sourdough", slug, "published")
    assert workshop.sessions.get().starts_at.date().isoformat() == day
    assert [price.currency for price in workshop.prices.all()] == ["GBP"]


def folded_of(html):
    """The headings of the parts that are folded away, and whether each is open."""
    return {
        heading: bool(is_open)
        for is_open, heading in re.findall(r'<details class="card fold"( open)?>\s*<summary>([^<]+)', html)
    }


def test_the_nine_needed_fields_are_in_sight_and_the_rest_is_folded_away(desk):
    html = desk.get(CREATE).content.decode()
    needed = html[
        html.index('class="card field-grid"') : html.index("</section>", html.index('class="card field-grid"'))
    ]
    fields = re.findall(r'name="([\w-]+)"', needed)
    seen = [name for name in fields if "_FORMS" not in name and name != "sessions-0-session"]
    assert seen == [
        "title", "subject", "summary", "sessions-0-day", "sessions-0-starts", "sessions-0-ends",
        "place", "capacity", "is_online", "price-GBP-amount",
    ]  # fmt: skip
    assert folded_of(html)
    assert not any(folded_of(html).values())


def test_rows_for_all_sessions_are_there_at_once_so_that_a_chosen_picture_stays(desk):
    html = desk.get(CREATE).content.decode()
    assert 'name="sessions-29-day"' in html
    assert 'name="sessions-30-day"' not in html
    assert "more_sessions" not in html


@pytest.mark.parametrize(
    ("changes", "heading"),
    [
        ({"language": "xx"}, "Description, picture and levels"),
        ({"time_zone": "Mars/Olympus"}, "Link to join, address and time zone"),
        ({"registration_closes_at": "nonsense"}, "When registration opens and closes"),
        ({"price-EUR-amount": "-1"}, "Early-bird price and other currencies"),
        ({"price-GBP-early_bird": "99"}, "Early-bird price and other currencies"),
        ({"sessions-TOTAL_FORMS": "3", "sessions-1-day": "2030-01-01"}, "More sessions"),
    ],
)
def test_a_folded_part_opens_if_it_holds_an_error(desk, changes, heading):
    no_more = {name: "" for name in filled_in() if name.startswith("price-") and name != "price-GBP-amount"}
    folded = folded_of(desk.post(CREATE, filled_in(**no_more | changes)).content.decode())
    assert [name for name, is_open in folded.items() if is_open] == [heading]


def test_the_only_subject_of_a_teacher_is_preselected(desk, teacher):
    subject = make_workshop(teacher=teacher).subject
    assert f'value="{subject.pk}" selected' not in desk.get(CREATE).content.decode()
    Expertise.objects.create(teacher=teacher, subject=subject, levels=["beginner"])
    assert f'value="{subject.pk}" selected' in desk.get(CREATE).content.decode()


@pytest.mark.parametrize(
    "management",
    [
        {"sessions-TOTAL_FORMS": None, "sessions-INITIAL_FORMS": None},
        {"sessions-TOTAL_FORMS": "abc"},
        {"sessions-TOTAL_FORMS": "999999999"},
        {"sessions-TOTAL_FORMS": "1\x00"},
        {"sessions-TOTAL_FORMS": "9" * 5000},
        {"sessions-INITIAL_FORMS": "x"},
    ],
)
def test_malformed_management_data_is_a_form_error(desk, management):
    assert "Nothing is saved" in errors_of(desk.post(CREATE, filled_in(**management)))
    assert not Workshop.objects.exists()


@pytest.mark.parametrize(
    "management",
    [{"sessions-TOTAL_FORMS": "-5"}, {"sessions-INITIAL_FORMS": "-1"}, {"sessions-INITIAL_FORMS": "99999"}],
)
def test_odd_but_valid_management_data_causes_no_server_error(desk, management):
    assert desk.post(CREATE, filled_in(**management)).status_code in (302, 400)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": "x" * 121},
        {"title": "a\x00b"},
        {"subject": "999999999999999999999"},
        {"subject": "a\x00"},
        {"levels": ["expert"]},
        {"language": "xx"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": "Mars/Olympus"},
        {"capacity": "0"},
        {"capacity": "-1"},
        {"capacity": "1001"},
        {"capacity": "9" * 400},
        {"online_url": "javascript:alert(1)"},
        {"registration_opens_at": "yesterday"},
        {"registration_opens_at": "0001-01-01T00:00"},
        {"registration_opens_at": "9999-12-31T23:59"},
        {"registration_opens_at": "2026-12-02T10:00", "registration_closes_at": "2026-12-01T10:00"},
        {"sessions-0-day": "0001-01-01"},
        {"sessions-0-day": "9999-12-31"},
        {"sessions-0-starts": "25:00"},
        {"sessions-0-starts": ""},
        {"sessions-0-ends": "10:00"},
        {"price-GBP-amount": "-1"},
        {"price-GBP-amount": "0"},
        {"price-GBP-amount": "0.001"},
        {"price-GBP-amount": "0.29"},
        {"price-GBP-early_bird": "0.29", "price-GBP-early_bird_until": "2026-12-01T10:00"},
        {"price-GBP-amount": "1e9"},
        {"price-GBP-amount": "NaN"},
        {"price-GBP-amount": "99999999"},
        {"price-JPY-amount": "84.5"},
        {"price-GBP-early_bird": "40.00"},
        {"price-GBP-early_bird_until": "2026-12-01T10:00"},
        {"price-GBP-early_bird": "45.00", "price-GBP-early_bird_until": "2026-12-01T10:00"},
        {"price-JPY-amount": "", "price-JPY-early_bird": "1", "price-JPY-early_bird_until": "2026-12-01T10:00"},
        {"price-GBP-amount": "4\x005"},
    ],
)
def test_invalid_input_is_a_form_error_and_saves_nothing(desk, changes):
    with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC)):
        assert "Nothing is saved" in errors_of(desk.post(CREATE, filled_in(**changes)))
    assert not Workshop.objects.exists()


def test_overlapping_sessions_are_refused(desk):
    sent = filled_in()
    second = {"sessions-1-day": sent["sessions-0-day"], "sessions-1-starts": "15:00", "sessions-1-ends": "17:00"}
    assert "overlap" in errors_of(desk.post(CREATE, sent | second))


def test_more_sessions_than_allowed_are_refused(desk):
    sent = filled_in(**{"sessions-TOTAL_FORMS": "31"})
    assert errors_of(desk.post(CREATE, sent))


def test_a_capacity_below_the_taken_places_is_an_error_at_its_field(desk, teacher):
    workshop = make_workshop(teacher=teacher, capacity=10)
    handler.fulfil(make_line(workshop, quantity=6))
    response = desk.post(reverse("workshops:edit", args=[workshop.slug]), filled_in(capacity="5"))
    assert "6 places are already taken" in errors_of(response)
    workshop.refresh_from_db()
    assert workshop.capacity == 10


def test_a_picture_is_encoded_again_and_other_files_are_refused(desk, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    buffer = BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "PNG")
    good = SimpleUploadedFile("a.png", buffer.getvalue(), "image/png")
    assert desk.post(CREATE, filled_in(cover=good)).status_code == 302
    assert Workshop.objects.get().cover.name.endswith(".webp")
    bad = SimpleUploadedFile("a.png", b"<script>", "image/png")
    assert errors_of(desk.post(CREATE, filled_in(cover=bad)))


# --- Who may -------------------------------------------------------------------------------------------------------
def test_another_teachers_workshop_is_a_404_everywhere(desk):
    workshop = make_workshop()
    for name in ("edit", "participants"):
        assert desk.get(reverse(f"workshops:{name}", args=[workshop.slug])).status_code == 404
    for name in ("edit", "publish", "withdraw"):
        assert desk.post(reverse(f"workshops:{name}", args=[workshop.slug]), filled_in()).status_code == 404
    workshop.refresh_from_db()
    assert (workshop.state, workshop.title) == ("published", "Bread baking")
    assert workshop.title not in desk.get(reverse("workshops:desk")).content.decode()


def test_the_desk_is_for_approved_teachers():
    waiting = TeacherFactory(status=Teacher.Status.APPLIED)
    for user in (UserFactory(), waiting.user):
        client = Client()
        client.force_login(user)
        for url in (reverse("workshops:desk"), CREATE):
            assert client.get(url).status_code in (302, 403)
        assert client.post(CREATE, filled_in()).status_code in (302, 403)
    assert Client().get(reverse("workshops:desk")).status_code == 302
    assert not Workshop.objects.exists()


def test_state_changes_only_by_post_with_a_csrf_token(teacher):
    workshop = make_workshop(teacher=teacher)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(teacher.user)
    for name in ("publish", "withdraw"):
        url = reverse(f"workshops:{name}", args=[workshop.slug])
        # Withdrawing is asked about first.
        assert strict.get(url).status_code == (200 if name == "withdraw" else 405)
        assert strict.post(url).status_code == 403
    assert strict.post(CREATE, filled_in()).status_code == 403
    workshop.refresh_from_db()
    assert workshop.is_published


# --- Lists ---------------------------------------------------------------------------------------------------------
def test_the_desk_shows_places_sold_held_and_left(desk, teacher):
    workshop = make_workshop(teacher=teacher, capacity=10)
    handler.fulfil(make_line(workshop, quantity=3))
    handler.reserve(make_line(workshop, quantity=2), in_half_an_hour())
    handler.reserve(make_line(workshop), timezone.now() - timedelta(seconds=1))
    row = desk.get(reverse("workshops:desk")).context["rows"][0]
    assert (row["workshop"].sold, row["workshop"].held, row["left"]) == (3, 2, 5)


def test_publish_and_withdraw_from_the_desk(desk, teacher):
    workshop = make_workshop(teacher=teacher)
    desk.post(reverse("workshops:withdraw", args=[workshop.slug]))
    assert Workshop.objects.get().state == "withdrawn"
    assert not Listing.objects.exists()
    desk.post(reverse("workshops:publish", args=[workshop.slug]))
    assert Workshop.objects.get().state == "published"


def test_participants_are_listed_for_the_teacher(desk, teacher):
    workshop = make_workshop(teacher=teacher)
    handler.fulfil(make_line(workshop, participants=[{"name": "Ann <b>", "email": "ann@example.org"}]))
    handler.reserve(make_line(workshop, participants=[{"name": "Only held"}]), in_half_an_hour())
    html = desk.get(reverse("workshops:participants", args=[workshop.slug])).content.decode()
    assert "Ann &lt;b&gt;" in html
    assert "Only held" not in html


def test_lists_take_the_same_number_of_queries_for_one_ten_and_a_hundred_rows(desk, teacher):
    busy = make_workshop(teacher=teacher, capacity=200)
    costs = []
    for already, how_many in ((0, 1), (1, 10), (10, 100)):
        for _ in range(already, how_many):
            handler.fulfil(make_line(busy))
            if how_many > 1:
                make_workshop(teacher=teacher)
        for url in (reverse("workshops:desk"), reverse("workshops:participants", args=[busy.slug])):
            desk.get(url)
            with CaptureQueriesContext(connection) as queries:
                desk.get(url)
            costs.append(len(queries))
    assert Registration.objects.count() == Workshop.objects.count() == 100
    assert costs[:2] == costs[2:4] == costs[4:]


@pytest.mark.parametrize(
    ("starts", "ends", "hours"), [("20:00", "00:00", 4), ("22:00", "02:00", 4), ("10:00", "23:59", 13)]
)
def test_a_session_may_end_at_midnight_or_after_it(desk, starts, ends, hours):
    sent = filled_in(**{"sessions-0-starts": starts, "sessions-0-ends": ends})
    assert desk.post(CREATE, sent).status_code == 302
    workshop = Workshop.objects.get()
    session = workshop.sessions.get()
    assert (session.ends_at - session.starts_at) // timedelta(hours=1) == hours
    # The page shows what was entered, and saves the same again.
    html = desk.get(reverse("workshops:edit", args=[workshop.slug])).content.decode()
    assert f'value="{starts}"' in html
    assert f'value="{ends}"' in html
    assert desk.post(reverse("workshops:edit", args=[workshop.slug]), sent).status_code == 302
    assert workshop.sessions.get().ends_at == session.ends_at


@pytest.mark.parametrize(("starts", "ends"), [("16:00", "10:00"), ("10:00", "10:00")])
def test_a_session_of_more_than_sixteen_hours_is_taken_for_a_typing_error(desk, starts, ends):
    sent = filled_in(**{"sessions-0-starts": starts, "sessions-0-ends": ends})
    assert "Check when it starts and ends." in errors_of(desk.post(CREATE, sent))


def test_a_night_may_overlap_the_next_mornings_session_no_more_than_any_other(desk):
    day = (timezone.now() + timedelta(days=30)).date()
    next_day = {
        "sessions-0-starts": "22:00",
        "sessions-0-ends": "02:00",
        "sessions-1-day": (day + timedelta(days=1)).isoformat(),
        "sessions-1-starts": "01:00",
        "sessions-1-ends": "03:00",
    }
    assert "Two sessions overlap." in errors_of(desk.post(CREATE, filled_in(**next_day)))


@pytest.mark.parametrize(
    ("day", "hours"), [("2027-03-27", 5), ("2027-10-30", 7), ("2027-06-05", 6)], ids=["spring", "autumn", "summer"]
)
def test_a_night_over_a_clock_change_is_as_long_as_it_is(desk, teacher, day, hours):
    with time_machine.travel(datetime(2027, 1, 1, tzinfo=UTC)):
        desk.force_login(teacher.user)
        night = {"sessions-0-day": day, "sessions-0-starts": "22:00", "sessions-0-ends": "04:00"}
        assert desk.post(CREATE, filled_in(time_zone="Europe/Berlin", publish="1", **night)).status_code == 302
        workshop = Workshop.objects.get()
        session = workshop.sessions.get()
        assert (session.ends_at - session.starts_at) / timedelta(hours=1) == hours
        page = desk.get(workshop.get_absolute_url()).content.decode()
    assert "22:00" in page
    assert "04:00" in page


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1999-12-31", "2200-01-01"])
def test_a_year_that_is_a_typing_error_is_refused(desk, day):
    for night in ({}, {"sessions-0-starts": "22:00", "sessions-0-ends": "02:00"}):
        answer = desk.post(CREATE, filled_in(**{"sessions-0-day": day, **night}))
        assert "Choose a date within" in errors_of(answer)


TEAMS = (
    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_" + "Zjk4" * 110 + "%40thread.v2/0?context=%7b%22Tid%22%7d"
)


def test_a_long_link_to_a_meeting_is_kept_whole(desk):
    assert len(TEAMS) > 500
    sent = filled_in(is_online="on", online_url=TEAMS, publish="1")
    assert desk.post(CREATE, sent).status_code == 302
    workshop = Workshop.objects.get()
    assert workshop.online_url == TEAMS
    handler.fulfil(make_line(workshop))
    registration = Registration.objects.get()
    desk.force_login(registration.buyer)
    assert TEAMS.replace("&", "&amp;") in desk.get(registration.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("typed", "stored"), [("US/Pacific", "America/Los_Angeles"), ("Etc/UTC", "UTC"), ("CET", None)]
)
def test_a_workshop_takes_every_name_of_a_zone(desk, teacher, typed, stored):
    teacher.user.time_zone = typed
    teacher.user.save()
    assert desk.get(CREATE).status_code == 200
    assert desk.post(CREATE, filled_in(time_zone=typed)).status_code == 302
    if stored:
        assert Workshop.objects.get().time_zone == stored
