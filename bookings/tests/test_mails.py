"""Mails and calendar files, rendered as delivery renders them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from icalendar import Calendar

from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.calendar_file import calendar_of
from bookings.meetings import set_meeting_link
from bookings.models import Lesson
from bookings.proposals import decline_request
from bookings.reassignment import pass_on_unanswered
from bookings.slots import Slot
from bookings.tests import factories as make
from bookings.tests.factories import handler
from notifications.models import Mail

pytestmark = pytest.mark.django_db


def rendered(mail):
    context = {**mail.context, "base_url": "https://lectern.example", "site_name": "Lectern"}
    return {ending: render_to_string(f"{mail.template}.{ending}", context) for ending in ("subject.txt", "txt", "html")}


def test_every_mail_renders_with_absolute_links_and_without_gaps():
    booked, line = make.confirmed_lesson(meeting_url="https://meet.example.org/1", note="Bring your cello")
    set_meeting_link(lesson_id=booked.pk, teacher=booked.teacher, url="https://meet.example.org/2")
    handler.revoke(line, line.quantity, "Refunded")
    declined = make.open_request()
    decline_request(request_id=declined.pk, teacher=declined.teacher, note="On holiday")
    make.waiting_since(make.open_request(), days=30)
    make.waiting_since(make.open_request(is_to_any=True), days=30)
    taught = make.subject()
    make.teacher_of(taught)
    make.teacher_of(taught)
    make.waiting_since(make.open_request(is_to_any=True, subject=taught), days=4)
    pass_on_unanswered()
    templates = set()
    for mail in Mail.objects.all():
        texts = rendered(mail)
        templates.add(mail.template.rpartition("/")[2])
        assert "\n" not in texts["subject.txt"].strip()
        assert "None" not in "".join(texts.values())
        assert "https://lectern.example/" in texts["txt"]
        assert 'href="/' not in texts["html"]
    assert templates == {
        "request_received", "request_accepted", "request_declined", "request_lapsed",
        "request_assigned", "request_unassigned", "request_left",
        "lesson_confirmed_student", "lesson_confirmed_teacher", "lesson_cancelled", "lesson_link",
    }  # fmt: skip


def test_text_from_users_is_escaped_in_html_mails():
    make.open_request(student=UserFactory(full_name="<b>Eve</b>"), goals="<script>alert(1)</script>")
    texts = rendered(Mail.objects.get())
    assert "<script>" not in texts["html"]
    assert "<b>" not in texts["html"]
    assert "<script>" in texts["txt"], "plain text is not escaped"


def test_the_confirmation_uses_each_readers_time_zone_and_attaches_the_calendar_entry():
    student = UserFactory(time_zone="Asia/Tokyo")
    teacher = TeacherFactory(user=UserFactory(time_zone="Europe/Paris"))
    lesson, _ = make.confirmed_lesson(student=student, teacher=teacher, meeting_url="https://meet.example.org/1")
    mails = {mail.key.rpartition(":")[2]: mail for mail in Mail.objects.filter(key__contains=":confirmed:")}
    assert mails["student"].context["when"].endswith("JST")
    assert mails["teacher"].context["when"].endswith(("CET", "CEST"))
    for mail in mails.values():
        [attached] = mail.attachments
        assert (attached["name"], attached["mime"]) == ("lesson.ics", "text/calendar")
        assert f"UID:lesson-{lesson.pk}@lectern" in attached["text"]
        assert "https://meet.example.org/1" in rendered(mail)["txt"]


def entry_of(lesson):
    [event] = Calendar.from_ical(calendar_of(lesson, UTC)).walk("VEVENT")
    return event


def test_the_calendar_entry_has_the_right_time_and_keeps_its_uid():
    lesson, line = make.confirmed_lesson(place="Leeds, 1; High\nStreet", is_online=False)
    event = entry_of(lesson)
    assert event["DTSTART"].dt == lesson.starts_at
    assert event["DTEND"].dt == lesson.ends_at
    assert isinstance(event["DTSTART"].dt, datetime)
    assert f"DTSTART:{lesson.starts_at:%Y%m%dT%H%M%SZ}" in calendar_of(lesson, UTC)
    assert event["LOCATION"] == "Leeds, 1; High\nStreet"
    assert str(event["URL"]).endswith(f"/my/lessons/{lesson.pk}/")
    assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", 0)
    handler.revoke(line, line.quantity, "Refunded")
    struck_out = entry_of(Lesson.objects.get(pk=lesson.pk))
    assert struck_out["UID"] == event["UID"]
    assert (struck_out["STATUS"], struck_out["SEQUENCE"]) == ("CANCELLED", 1)


def test_only_the_latest_link_set_after_booking_is_mailed_to_the_student(client):
    lesson, _ = make.confirmed_lesson()
    client.force_login(lesson.teacher.user)
    for url in ("https://meet.example.org/1", "https://meet.example.org/1", "https://meet.example.org/2", ""):
        client.post(reverse("bookings:lesson_meeting", args=[lesson.pk]), {"meeting_url": url})
    sent = Mail.objects.get(template="bookings/mail/lesson_link")
    assert (sent.user, sent.context["where"]) == (lesson.student, "https://meet.example.org/2")
    assert "https://meet.example.org/2" in sent.attachments[0]["text"]


def test_the_link_of_a_lesson_that_is_not_booked_is_not_mailed():
    lesson = make.proposed_lesson()
    set_meeting_link(lesson_id=lesson.pk, teacher=lesson.teacher, url="https://meet.example.org/1")
    assert Lesson.objects.get(pk=lesson.pk).meeting_url == "https://meet.example.org/1"
    assert not Mail.objects.filter(template="bookings/mail/lesson_link").exists()
    with pytest.raises(Lesson.DoesNotExist):
        set_meeting_link(lesson_id=lesson.pk, teacher=TeacherFactory(), url="https://meet.example.org/3")


def test_a_moved_lesson_keeps_its_uid_and_counts_up():
    lesson, _ = make.confirmed_lesson()
    before = entry_of(lesson)
    later = Slot(lesson.starts_at + timedelta(days=1), lesson.ends_at + timedelta(days=1))
    # Another session of the database moves it, so the row in memory does not know.
    Lesson.objects.filter(pk=lesson.pk).update(period=later.as_range())
    after = entry_of(Lesson.objects.get(pk=lesson.pk))
    assert after["UID"] == before["UID"]
    assert after["DTSTART"].dt == later.starts_at
    assert after["SEQUENCE"] == before["SEQUENCE"] + 1
    moved = Lesson.objects.get(pk=lesson.pk)
    assert moved.changed_at > lesson.changed_at
    assert after["LAST-MODIFIED"].dt == moved.changed_at.replace(microsecond=0)
    lesson.save()
    assert entry_of(lesson)["SEQUENCE"] > after["SEQUENCE"]


def test_a_new_link_counts_the_entry_up_and_a_state_does_not():
    lesson, line = make.confirmed_lesson()
    Lesson.objects.filter(pk=lesson.pk).update(state="completed")
    assert entry_of(lesson)["SEQUENCE"] == 0
    Lesson.objects.filter(pk=lesson.pk).update(state="confirmed")
    set_meeting_link(lesson_id=lesson.pk, teacher=lesson.teacher, url=f"https://meet.example.org/{'a' * 600}")
    [attached] = Mail.objects.get(template="bookings/mail/lesson_link").attachments
    assert "SEQUENCE:1" in attached["text"]
    handler.revoke(line, line.quantity, "Refunded")
    assert entry_of(Lesson.objects.get(pk=lesson.pk))["SEQUENCE"] == 2


def test_a_long_link_to_a_meeting_is_kept_whole(client):
    lesson, _ = make.confirmed_lesson()
    client.force_login(lesson.teacher.user)
    url = f"https://teams.example.org/l/meetup-join/{'a' * 600}"
    client.post(reverse("bookings:lesson_meeting", args=[lesson.pk]), {"meeting_url": url})
    assert Lesson.objects.get(pk=lesson.pk).meeting_url == url
