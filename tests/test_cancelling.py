"""Students cancel lessons, places and courses by the policy they bought them with; domains and money agree."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from structlog.testing import capture_logs

from bookings.models import Lesson
from bookings.slots import Slot
from bookings.tests import factories as lessons
from courses.models import Enrolment
from jobs.invariants import broken, installed_invariants
from ledger.locks import lock_teacher_accounts
from notifications.models import Mail
from payments.models import Refund
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for
from payments.tests.races import wait_until_another_waits_for_a_lock
from tests.market import open_market, open_order, signed_in
from workshops.models import Registration, Workshop
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db


def bought_line(user, domain):
    order, _ = settle_payment(evidence_for(open_order(user)))
    return order.lines.get(domain=domain)


def cancel(client, line, *places):
    """Open the page, and confirm what it offers; returns the page's text."""
    address = f"/my/orders/lines/{line.pk}/cancel/"
    page = client.get(address, {"place": places}).content.decode()
    posted = {name: re.findall(rf'type="hidden" name="{name}" value="([^"]+)"', page) for name in ("place", "digest")}
    assert posted["digest"], page
    client.post(address, posted)
    line.refresh_from_db()
    return page


def mails_to(user, template):
    return Mail.objects.filter(user=user, template=template).count()


def test_a_lesson_tomorrow_is_cancelled_for_half():
    market = open_market()
    lesson = lessons.proposed_lesson(student=market.student, teacher=market.teacher, when=lessons.slot(days=20))
    client = signed_in(market.student)
    market.student.cart.lines.all().delete()
    client.post(f"/my/lessons/requests/{lesson.request_id}/buy/", {"lesson": lesson.pk})
    line = bought_line(market.student, "private_teaching")
    in_thirty_hours = timezone.now() + timedelta(hours=30)
    Lesson.objects.filter(pk=lesson.pk).update(period=(in_thirty_hours, in_thirty_hours + timedelta(hours=1)))
    assert f"/my/orders/lines/{line.pk}/cancel/" in client.get(f"/my/lessons/{lesson.pk}/").content.decode()
    assert "You get £20.00 back" in cancel(client, line)
    lesson.refresh_from_db()
    assert (lesson.state, lesson.cancel_reason) == ("cancelled", "Cancelled by the student.")
    assert (line.state, line.refunded_minor, Refund.objects.get().reason) == ("revoked", 2000, "student_cancelled")
    assert mails_to(market.teacher.user, "bookings/mail/lesson_cancelled") == 1
    assert mails_to(market.student, "payments/mail/line_cancelled") == 1
    # The slot is free at once.
    lessons.proposed_lesson(teacher=market.teacher, when=Slot(lesson.starts_at, lesson.ends_at))
    assert "Cancelled" in client.get(f"/my/lessons/{lesson.pk}/").content.decode()
    assert broken(installed_invariants()) == {}


def test_two_of_three_named_places_are_cancelled_and_others_can_take_them():
    market = open_market()
    workshop = make_workshop(teacher=market.teacher, capacity=3)
    client = signed_in(market.student)
    market.student.cart.lines.all().delete()
    client.post(
        f"/workshops/{workshop.slug}/register/",
        {"quantity": 3, "place-1-name": "Ann", "place-2-name": "Bo", "place-3-name": "Cy"}
        | {f"place-{number}-email": f"{number}@example.org" for number in (1, 2, 3)},
    )
    line = bought_line(market.student, "workshops")
    places = {place.participant_name: place for place in Registration.objects.filter(order_line_id=line.pk)}
    page = cancel(client, line, places["Ann"].code, places["Cy"].code)
    assert "You get £90.00 back" in page
    assert "2 of 3 places: Ann, Cy" in page
    states = dict(Registration.objects.filter(order_line_id=line.pk).values_list("participant_name", "state"))
    assert states == {"Ann": "revoked", "Bo": "confirmed", "Cy": "revoked"}
    assert (line.state, line.revoked_quantity, line.refunded_minor) == ("fulfilled", 2, 9000)
    assert set(Mail.objects.filter(template="workshops/mail/ticket_revoked").values_list("to", flat=True)) == {
        "1@example.org",
        "3@example.org",
    }
    assert mails_to(market.teacher.user, "workshops/mail/registration_revoked") == 1
    assert not Workshop.objects.get(pk=workshop.pk).is_sold_out
    assert "You get £45.00 back" in cancel(client, line)
    assert (line.state, line.refunded_minor) == ("revoked", 13_500)
    assert Refund.objects.count() == 2
    assert broken(installed_invariants()) == {}


def test_a_moved_workshop_is_refunded_in_full_even_on_the_day():
    market = open_market()
    starts_at = timezone.now() + timedelta(hours=5)
    market.workshop.sessions.update(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    line = market.order.lines.get(domain="workshops")
    assert "You get £45.00 back" in cancel(signed_in(market.student), line)


def test_a_course_is_cancelled_within_its_days_and_not_after():
    market = open_market()
    client = signed_in(market.student)
    line = market.order.lines.get(domain="courses")
    Enrolment.objects.update(activated_at=timezone.now() - timedelta(days=15))
    assert "It is too late to cancel this." in client.get(f"/my/orders/lines/{line.pk}/cancel/").content.decode()
    Enrolment.objects.update(activated_at=timezone.now() - timedelta(days=13))
    assert f"/my/orders/lines/{line.pk}/cancel/" in client.get(f"/my/courses/{market.course.slug}/").content.decode()
    cancel(client, line)
    assert Enrolment.objects.get(course=market.course).state == "revoked"
    assert client.get(f"/my/courses/{market.course.slug}/").status_code == 404
    assert (line.state, line.refunded_minor) == ("revoked", line.amount_minor)
    assert mails_to(market.teacher.user, "courses/mail/enrolment_revoked") == 1
    assert broken(installed_invariants()) == {}


def test_a_past_lesson_cannot_be_cancelled():
    market = open_market()
    yesterday = timezone.now() - timedelta(days=1)
    Lesson.objects.filter(pk=market.lesson.pk).update(period=(yesterday, yesterday + timedelta(hours=1)))
    line = market.order.lines.get(domain="private_teaching")
    client = signed_in(market.student)
    assert "too late" in client.get(f"/my/orders/lines/{line.pk}/cancel/").content.decode()
    assert f"/lines/{line.pk}/cancel/" not in client.get(f"/my/lessons/{market.lesson.pk}/").content.decode()


@contextmanager
def looking_for_deadlocks_after(seconds):
    """How long this connection waits for a lock before it looks, once, whether it is in a deadlock, and is aborted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('deadlock_timeout', %s, false)", [f"{seconds}s"])
        try:
            yield
        finally:
            cursor.execute("RESET deadlock_timeout")


@pytest.mark.django_db(transaction=True)
def test_a_cancellation_is_retried_if_it_is_aborted_to_break_a_deadlock():
    """Another transaction locks the teacher's account before the workshop; this one needs them the other way round."""
    market = open_market()
    line = market.order.lines.get(domain="workshops")
    has_account = threading.Event()

    def lock_account_then_workshop():
        try:
            # Longer than anything waits here: the cancellation alone finds the deadlock.
            with looking_for_deadlocks_after(60), transaction.atomic():
                lock_teacher_accounts([line.teacher_id], "GBP")
                has_account.set()
                wait_until_another_waits_for_a_lock()
                list(Workshop.objects.select_for_update(no_key=True).filter(pk=market.workshop.pk))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lock_account_then_workshop)
        assert has_account.wait(20)
        # Long enough for the other to wait as well, on a busy machine, too.
        with capture_logs() as logs, looking_for_deadlocks_after(3):
            cancel(signed_in(market.student), line)
        other.result()
    assert (line.state, line.refunded_minor, Refund.objects.count()) == ("revoked", 4500, 1)
    assert [entry for entry in logs if entry["event"] == "deadlock_retried"]
    assert broken(installed_invariants()) == {}
