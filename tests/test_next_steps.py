"""After paying: each line leads on in its domain's words, and cancelling is offered exactly where it works."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.models import Lesson
from courses.models import Enrolment
from payments.reasons import BY_STUDENT, BY_STUDENT_REFUNDED, reason_for_student, reason_for_teacher
from tests.market import open_market, signed_in

pytestmark = pytest.mark.django_db


def pages_of(market, domain):
    """The page that shows what this domain delivered, and the order's."""
    own = {
        "private_teaching": f"/my/lessons/{market.lesson.pk}/",
        "workshops": market.ticket.get_absolute_url(),
        "courses": f"/my/courses/{market.course.slug}/",
    }
    return [own[domain], market.order.get_absolute_url()]


def end(market, domain):
    """Let the time in which this domain's line can be cancelled be over."""
    yesterday = timezone.now() - timedelta(days=1)
    if domain == "private_teaching":
        Lesson.objects.filter(pk=market.lesson.pk).update(period=(yesterday, yesterday + timedelta(hours=1)))
    elif domain == "workshops":
        market.workshop.sessions.update(starts_at=yesterday, ends_at=yesterday + timedelta(days=2))
    else:
        Enrolment.objects.update(activated_at=timezone.now() - timedelta(days=15))


@pytest.mark.parametrize("domain", ["private_teaching", "workshops", "courses"])
def test_pages_offer_to_cancel_as_long_as_it_works_and_no_longer(domain):
    market = open_market()
    client, line = signed_in(market.student), market.order.lines.get(domain=domain)
    address = f"/my/orders/lines/{line.pk}/cancel/"
    for page in pages_of(market, domain):
        assert address in client.get(page).content.decode(), page
    end(market, domain)
    assert "It is too late to cancel this." in client.get(address).content.decode()
    for page in [*pages_of(market, domain), "/my/workshops/"]:
        assert address not in client.get(page).content.decode(), page


def test_each_line_of_an_order_says_what_it_leads_to():
    market = open_market()
    page = signed_in(market.student).get(market.order.get_absolute_url()).content.decode()
    for action in ("Open lesson", "View tickets", "Go to course"):
        assert f">{action}<" in page
    assert "Ready" not in page


def test_titles_leave_the_teacher_to_the_text_beside_them():
    market = open_market()
    title = market.order.lines.get(domain="private_teaching").title
    assert market.teacher.display_name not in title
    lessons = signed_in(market.student).get("/my/lessons/").content.decode()
    assert f"with <bdi>{market.teacher.display_name}</bdi>" in lessons


@pytest.mark.parametrize(
    ("reason", "to_student", "to_teacher"),
    [
        (BY_STUDENT, "You cancelled this lesson.", "Cancelled by Ada."),
        (BY_STUDENT_REFUNDED, "You cancelled this lesson; it is refunded.", "Cancelled by Ada and refunded."),
        ("Cancelled by the teacher: ill", "Cancelled by the teacher: ill", "Cancelled by the teacher: ill"),
        ("", "", ""),
    ],
)
def test_each_side_reads_who_cancelled_in_its_own_words(reason, to_student, to_teacher):
    assert reason_for_student(reason, "lesson") == to_student
    assert reason_for_teacher(reason, "Ada") == to_teacher


def test_student_and_teacher_read_it_on_the_lesson():
    market = open_market()
    Lesson.objects.filter(pk=market.lesson.pk).update(
        state="cancelled", cancelled_at=timezone.now(), cancel_reason=BY_STUDENT
    )
    address = f"/my/lessons/{market.lesson.pk}/"
    assert "You cancelled this lesson." in signed_in(market.student).get(address).content.decode()
    theirs = signed_in(market.teacher.user).get(address).content.decode()
    assert f"Cancelled by {market.student.display_name}." in theirs


@pytest.mark.parametrize(("minutes", "button"), [(60, "Open the link to join"), (20, "Join now"), (-30, "Join now")])
def test_the_button_to_join_stands_out_once_the_lesson_is_near(minutes, button):
    market = open_market()
    starts_at = timezone.now() + timedelta(minutes=minutes)
    Lesson.objects.filter(pk=market.lesson.pk).update(
        period=(starts_at, starts_at + timedelta(hours=1)), is_online=True, meeting_url="https://meet.example/x"
    )
    for person in (market.student, market.teacher.user):
        assert f">{button}<" in signed_in(person).get(f"/my/lessons/{market.lesson.pk}/").content.decode()


def test_the_lesson_says_what_cancelling_it_gives_back():
    market = open_market()
    page = signed_in(market.student).get(f"/my/lessons/{market.lesson.pk}/").content.decode()
    assert "Full refund until 48 hours before the lesson" in page
