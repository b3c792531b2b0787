from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.models import Availability, Lesson, LessonRequest
from bookings.tests import factories as make
from bookings.tests.factories import handler
from bookings.urls import urlpatterns
from catalogue.models import Expertise
from payments.models import CartLine

pytestmark = pytest.mark.django_db
HUGE = 10**30


def signed_in(user, **options):
    client = Client(**options)
    client.force_login(user)
    return client


def asked(topic, **fields):
    return {
        "subject": topic.pk,
        "level": "beginner",
        "goals": "A tune",
        "meeting": "online",
        "region": "GB",
        **fields,
    }


def answered(days=10, **fields):
    day = timezone.now() + timedelta(days=days)
    return {
        "time_1": f"{day:%Y-%m-%d}T10:00", "minutes": "60", "price": "40.00", "currency": "GBP", "where": "online", **fields,
    }  # fmt: skip


@pytest.fixture
def teacher():
    return make.teacher_of(make.subject(), user__time_zone="Europe/Paris")


def subject_of(teacher):
    return Expertise.objects.get(teacher=teacher).subject


# --- Asking


def test_a_student_asks_a_teacher(teacher):
    student = UserFactory()
    url = reverse("bookings:request_create", args=[teacher.slug])
    assert signed_in(student).get(url).status_code == 200
    data = asked(subject_of(teacher), preferred_days=["mon", "sun"], preferred_parts=["evening"])
    response = signed_in(student).post(url, data)
    request = LessonRequest.objects.get()
    assert response.url == request.get_absolute_url()
    assert (request.student, request.teacher, request.preferred_summary) == (
        student,
        teacher,
        "Monday, Sunday; evening",
    )
    page = signed_in(student).get(response.url).content.decode()
    assert "Waiting for an answer" in page
    assert "Online, from the UK" in page


def test_an_offer_is_shown_and_fills_in_the_form(teacher):
    offer = make.offer(teacher=teacher, levels=["advanced"])
    url = reverse("bookings:request_create", args=[teacher.slug]) + f"?offer={offer.slug}"
    response = signed_in(UserFactory()).get(url)
    assert offer.title in response.content.decode()
    assert response.context["form"]["level"].value() == "advanced"
    signed_in(UserFactory()).post(url, asked(offer.subject, level="advanced"))
    assert LessonRequest.objects.get().offer == offer


@pytest.mark.parametrize("offer", ["%00", "'", "x" * 500, "%F0%9F%8E%BB", "unknown"])
def test_an_unknown_or_malformed_offer_is_ignored(teacher, offer):
    url = reverse("bookings:request_create", args=[teacher.slug]) + f"?offer={offer}"
    assert signed_in(UserFactory()).get(url).context["offer"] is None


def test_a_student_asks_any_teacher(teacher):
    student = UserFactory()
    answer = signed_in(student).post(reverse("bookings:request_any"), asked(subject_of(teacher)), follow=True)
    request = LessonRequest.objects.get()
    assert request.is_to_any_teacher
    assert request.teacher == teacher
    assert f"Your request is with {teacher.display_name}" in answer.content.decode()
    assert "If they cannot take your request, we ask the next" in answer.content.decode()
    desk = signed_in(teacher.user).get(reverse("bookings:desk")).content.decode()
    assert "Found for you" in desk


def test_a_student_for_whom_nobody_is_free_is_told_what_happens_next(teacher):
    data = asked(subject_of(teacher), level="advanced")
    page = signed_in(UserFactory()).post(reverse("bookings:request_any"), data, follow=True)
    assert page.status_code == 200
    assert "Our team is looking for" in page.content.decode()
    assert "there is nothing to pay" in page.content.decode()


def test_a_subject_can_be_chosen_if_only_the_broader_one_is_taught(teacher):
    narrower = make.subject(broader=subject_of(teacher))
    signed_in(UserFactory()).post(reverse("bookings:request_any"), asked(narrower))
    assert LessonRequest.objects.get().teacher == teacher


def test_a_teacher_passes_a_request_on_and_an_old_link_says_where_it_went(teacher):
    other = make.teacher_of(subject_of(teacher))
    Availability.objects.create(teacher=other, is_paused=True)
    request = make.open_request(is_to_any=True, subject=subject_of(teacher))
    Availability.objects.all().delete()
    client = signed_in(teacher.user)
    page = client.get(reverse("bookings:request_answer", args=[request.pk])).content.decode()
    assert "Pass on" in page
    client.post(reverse("bookings:request_decline", args=[request.pk]), {"note": "Full"})
    request.refresh_from_db()
    assert (request.teacher, request.state) == (other, "open")
    assert request.assignments.get(teacher=teacher).note == "Full"
    for send in (client.get, client.post):
        answer = send(reverse("bookings:request_answer", args=[request.pk]), follow=True)
        assert "has gone to another teacher" in answer.content.decode()


def test_a_teacher_pauses_new_requests_and_says_on_which_days_they_teach(teacher):
    client = signed_in(teacher.user)
    url = reverse("bookings:availability")
    until = timezone.localdate() + timedelta(days=9)
    client.post(url, {"is_paused": "on", "paused_until": f"{until:%Y-%m-%d}", "days": ["tue", "mon"]})
    assert "New requests are paused until" in client.get(url).content.decode()
    assert "You have paused new requests" in client.get(reverse("bookings:desk")).content.decode()
    stored = Availability.objects.get(teacher=teacher)
    assert (stored.paused_until, stored.days) == (until, ["mon", "tue"])
    client.post(url, {"days": []})
    assert "paused" not in client.get(reverse("bookings:desk")).content.decode()


@pytest.mark.parametrize(
    "bad",
    [
        {"days": ["xyz"]}, {"days": ["\x00"]}, {"is_paused": "on", "paused_until": "2020-01-01"},
        {"is_paused": "on", "paused_until": "x"}, {"paused_until": "2099-01-01"},
    ],
)  # fmt: skip
def test_an_impossible_availability_is_refused_in_the_form(teacher, bad):
    assert signed_in(teacher.user).post(reverse("bookings:availability"), bad).status_code == 400
    assert not Availability.objects.exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"subject": "999999999"}, {"subject": "x"}, {"subject": HUGE}, {"subject": "\x00"}, {"level": "genius"},
        {"goals": ""}, {"goals": "a\x00b"}, {"goals": "a" * 2001}, {"meeting": "moon"}, {"region": "ZZ"}, {"region": "\x00"},
        {"preferred_days": ["mon", "xyz"]}, {"preferred_parts": "night"}, {"preferred_times": "a" * 501},
    ],
)  # fmt: skip
def test_an_invalid_request_is_refused_in_the_form(teacher, bad):
    url = reverse("bookings:request_create", args=[teacher.slug])
    assert signed_in(UserFactory()).post(url, asked(subject_of(teacher), **bad)).status_code == 400
    assert not LessonRequest.objects.exists()


def test_a_named_teacher_is_asked_only_for_what_they_teach(teacher):
    url = reverse("bookings:request_create", args=[teacher.slug])
    assert signed_in(UserFactory()).post(url, asked(make.subject())).status_code == 400


def test_parts_of_countries_that_teachers_are_licensed_for_can_be_chosen(teacher):
    Teacher.objects.filter(pk=teacher.pk).update(regions=["US-CA"])
    url = reverse("bookings:request_any")
    signed_in(UserFactory()).post(url, asked(subject_of(teacher), region="US-CA"))
    assert LessonRequest.objects.get().region == "US-CA"


@pytest.mark.parametrize("status", [Teacher.Status.APPLIED, Teacher.Status.SUSPENDED])
def test_only_approved_teachers_can_be_asked(status):
    teacher = TeacherFactory(status=status)
    url = reverse("bookings:request_create", args=[teacher.slug])
    assert signed_in(UserFactory()).get(url).status_code == 404


# --- Answering


def test_times_are_entered_in_the_teachers_zone_and_shown_in_the_students(teacher):
    student = UserFactory(time_zone="Asia/Tokyo")
    request = make.open_request(teacher=teacher, student=student)
    url = reverse("bookings:request_answer", args=[request.pk])
    assert signed_in(teacher.user).get(url).status_code == 200
    response = signed_in(teacher.user).post(url, answered(time_1="2027-07-05T10:00"))
    assert response.status_code == 302
    lesson = Lesson.objects.get()
    assert lesson.starts_at.isoformat() == "2027-07-05T08:00:00+00:00"
    page = signed_in(student).get(request.get_absolute_url()).content.decode()
    assert "17:00" in page
    assert "JST" in page


@pytest.mark.parametrize(("when", "word"), [("2027-03-28T02:30", "skip"), ("2027-10-31T02:30", "twice")])
def test_times_that_the_clock_change_skips_or_repeats_are_explained(teacher, when, word):
    request = make.open_request(teacher=teacher)
    response = signed_in(teacher.user).post(
        reverse("bookings:request_answer", args=[request.pk]), answered(time_1=when)
    )
    assert response.status_code == 400
    assert word in response.content.decode()
    assert not Lesson.objects.exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"time_1": ""}, {"time_1": "tomorrow"}, {"time_1": "0001-01-01T00:00"}, {"time_1": "9999-12-31T23:59"},
        {"time_1": "2027-01-01T10:00\x00"}, {"time_2": "x"}, {"minutes": "0"}, {"minutes": "-60"}, {"minutes": HUGE},
        {"minutes": "x"}, {"price": "0"}, {"price": "-1"}, {"price": "0.29"}, {"price": "40.001"}, {"price": "NaN"},
        {"price": "Infinity"}, {"price": "1e400"}, {"price": HUGE}, {"price": "\x00"}, {"price": ""},
        {"currency": "JPY", "price": "40.50"}, {"currency": "XXX"}, {"currency": "\x00"}, {"where": "moon"},
        {"where": "in_person", "place": ""}, {"meeting_url": "javascript:alert(1)"}, {"note": "a\x00"},
        {"time_1": "2020-01-01T10:00"},
    ],
)  # fmt: skip
def test_an_invalid_answer_is_refused_in_the_form(teacher, bad):
    request = make.open_request(teacher=teacher)
    response = signed_in(teacher.user).post(reverse("bookings:request_answer", args=[request.pk]), answered(**bad))
    assert response.status_code == 400
    request.refresh_from_db()
    assert request.is_open
    assert not Lesson.objects.exists()


def test_overlapping_times_need_confirmation_before_they_are_proposed(teacher):
    first, second = make.open_request(teacher=teacher), make.open_request(teacher=teacher)
    client = signed_in(teacher.user)
    client.post(reverse("bookings:request_answer", args=[first.pk]), answered())
    url = reverse("bookings:request_answer", args=[second.pk])
    response = client.post(url, answered())
    assert response.status_code == 200
    assert "overlap lessons of yours" in response.content.decode()
    assert Lesson.objects.count() == 1
    assert client.post(url, answered(propose_anyway="on")).status_code == 302
    assert Lesson.objects.count() == 2


def test_a_sold_time_is_refused_even_with_confirmation(teacher):
    lesson, _ = make.confirmed_lesson(teacher=teacher)
    request = make.open_request(teacher=teacher)
    type(teacher.user).objects.filter(pk=teacher.user_id).update(time_zone="UTC")
    data = answered(time_1=f"{lesson.starts_at:%Y-%m-%dT%H:%M}", propose_anyway="on")
    response = signed_in(teacher.user).post(reverse("bookings:request_answer", args=[request.pk]), data)
    assert response.status_code == 400
    assert "confirmed lesson at one of these times" in response.content.decode()


def test_a_teacher_declines_withdraws_and_adds_a_link(teacher):
    client = signed_in(teacher.user)
    request = make.open_request(teacher=teacher)
    client.post(reverse("bookings:request_decline", args=[request.pk]), {"note": "Sorry"})
    request.refresh_from_db()
    assert (request.state, request.teacher_note) == ("declined", "Sorry")
    lesson = make.proposed_lesson(teacher=teacher)
    client.post(reverse("bookings:lesson_meeting", args=[lesson.pk]), {"meeting_url": "https://meet.example.org/2"})
    client.post(reverse("bookings:lesson_meeting", args=[lesson.pk]), {"meeting_url": "javascript:alert(1)"})
    client.post(reverse("bookings:proposal_withdraw", args=[lesson.pk]))
    lesson.refresh_from_db()
    assert (lesson.meeting_url, lesson.state) == ("https://meet.example.org/2", "cancelled")


# --- Choosing and attending


def test_chosen_times_are_added_to_the_cart():
    lessons = make.proposed_lessons(make.slot(days=5), make.slot(days=6), make.slot(days=7))
    request = lessons[0].request
    url = reverse("bookings:request_buy", args=[request.pk])
    client = signed_in(request.student)
    response = client.post(url, {"lesson": [lessons[0].pk, lessons[2].pk]})
    assert response.url == reverse("payments:cart")
    html = client.get(response.url).content.decode()
    assert "Your lessons are in your cart." in html
    assert "Full refund until 48 hours before the lesson" in html
    assert set(CartLine.objects.values_list("domain", "reference")) == {
        ("private_teaching", str(lessons[0].pk)),
        ("private_teaching", str(lessons[2].pk)),
    }


@pytest.mark.parametrize("chosen", [[], ["x"], ["\x00"], [str(HUGE)], ["-1"]])
def test_malformed_or_foreign_lesson_ids_are_not_added_to_the_cart(chosen):
    lesson, others = make.proposed_lesson(), make.proposed_lesson()
    url = reverse("bookings:request_buy", args=[lesson.request_id])
    response = signed_in(lesson.student).post(url, {"lesson": [*chosen, others.pk]})
    assert response.url == lesson.request.get_absolute_url()
    assert not CartLine.objects.exists()


def test_a_taken_time_is_refused_before_paying():
    teacher = TeacherFactory()
    first, second = make.proposed_lesson(teacher=teacher), make.proposed_lesson(teacher=teacher)
    handler.reserve(make.sold_line(first), make.soon())
    url = reverse("bookings:request_buy", args=[second.request_id])
    response = signed_in(second.student).post(url, {"lesson": second.pk}, follow=True)
    assert "just been taken" in response.content.decode()


def test_the_link_to_join_is_shown_once_the_lesson_is_paid():
    lesson = make.proposed_lesson(meeting_url="https://meet.example.org/1")
    url = reverse("bookings:lesson_detail", args=[lesson.pk])
    client = signed_in(lesson.student)
    assert "meet.example.org" not in client.get(url).content.decode()
    assert client.get(reverse("bookings:lesson_calendar", args=[lesson.pk])).status_code == 404
    line = make.sold_line(lesson)
    handler.reserve(line, make.soon())
    handler.fulfil(line)
    assert "meet.example.org" in client.get(url).content.decode()
    download = client.get(reverse("bookings:lesson_calendar", args=[lesson.pk]))
    assert download["Content-Type"] == "text/calendar; charset=utf-8"
    assert download.content.startswith(b"BEGIN:VCALENDAR")


def test_a_student_withdraws_an_open_request_but_not_an_answered_one():
    request = make.open_request()
    client = signed_in(request.student)
    for _ in range(2):
        response = client.post(reverse("bookings:request_withdraw", args=[request.pk]))
        assert response.url == request.get_absolute_url()
    request.refresh_from_db()
    assert request.state == "withdrawn"


# --- Other people


def urls_of(lesson):
    """The address of every page about the lesson, its request, or an offer of its teacher."""
    ids = {"request_id": lesson.request_id, "lesson_id": lesson.pk, "offer_id": make.offer(teacher=lesson.teacher).pk}
    for pattern in urlpatterns:
        wanted = {name: ids[name] for name in pattern.pattern.converters if name in ids}
        if wanted:
            yield reverse(f"bookings:{pattern.name}", kwargs=wanted)


def test_pages_of_other_people_are_a_404_for_every_role():
    lesson, _ = make.confirmed_lesson()
    urls = list(urls_of(lesson))
    assert len(urls) == 16
    for stranger in (TeacherFactory().user, UserFactory(is_staff=True)):
        client = signed_in(stranger)
        client.raise_request_exception = False
        for url in urls:
            for send in (client.get, client.post):
                response = send(url)
                is_sent_to_apply = stranger.is_staff and response.status_code == 302 and url.startswith("/teach/")
                assert response.status_code in (404, 405) or is_sent_to_apply, (url, response.status_code)
    lesson.refresh_from_db()
    assert lesson.is_confirmed


def test_guests_are_sent_to_sign_in():
    lesson, _ = make.confirmed_lesson()
    for url in [*urls_of(lesson), reverse("bookings:requests_mine"), reverse("bookings:desk")]:
        response = Client().get(url)
        assert response.status_code == 405 or response.url.startswith(reverse("account_login")), url


def test_ids_beyond_the_integer_range_are_a_404():
    client = signed_in(TeacherFactory().user)
    for pattern in urlpatterns:
        names = [name for name in pattern.pattern.converters if name.endswith("_id")]
        if names:
            url = reverse(f"bookings:{pattern.name}", kwargs=dict.fromkeys(names, HUGE))
            assert {client.get(url).status_code, client.post(url).status_code} <= {404, 405}, url


def test_state_changes_only_by_post_with_a_csrf_token():
    lesson = make.proposed_lesson()
    request = make.open_request(teacher=lesson.teacher)
    changing = {
        lesson.student: [("request_buy", lesson.request_id), ("request_withdraw", lesson.request_id)],
        lesson.teacher.user: [
            ("request_decline", request.pk),
            ("proposal_withdraw", lesson.pk),
            ("lesson_meeting", lesson.pk),
        ],
    }
    for user, pages in changing.items():
        for name, pk in pages:
            url = reverse(f"bookings:{name}", args=[pk])
            # Withdrawing is asked about first.
            assert signed_in(user).get(url).status_code == (200 if name.endswith("withdraw") else 405)
            assert signed_in(user, enforce_csrf_checks=True).post(url).status_code == 403
    request.refresh_from_db()
    assert request.is_open


def test_lists_take_as_many_queries_for_ten_as_for_one():
    teacher, student = TeacherFactory(), UserFactory()

    def fill(number):
        make.open_request(teacher=teacher)
        make.open_request(student=student)
        make.confirmed_lesson(teacher=teacher, student=student, when=make.slot(days=number, hour=8))
        make.proposed_lesson(teacher=teacher, student=student, when=make.slot(days=number, hour=12))
        _, line = make.confirmed_lesson(teacher=teacher, student=student, when=make.slot(days=number, hour=16))
        handler.revoke(line, line.quantity, "Refunded")
        make.offer(teacher=teacher)
        # A student may ask fifteen times a day.
        LessonRequest.objects.update(created_at=timezone.now() - timedelta(days=2))

    pages = [
        (student, reverse("bookings:requests_mine")),
        (teacher.user, reverse("bookings:desk")),
        (teacher.user, reverse("bookings:offers_mine")),
    ]
    fill(1)
    counted = [_queries(user, url) for user, url in pages]
    for number in range(2, 10):
        fill(number)
    assert [_queries(user, url) for user, url in pages] == counted
    assert max(counted) <= 12


def _queries(user, url):
    client = signed_in(user)
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)
