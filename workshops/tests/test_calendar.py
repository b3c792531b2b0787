"""What calendars hold of a workshop is updated, never doubled."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from accounts.tests.factories import UserFactory
from money import Money
from notifications.models import Mail
from workshops.calendar_file import calendar_of
from workshops.cancelling import cancel_workshop
from workshops.handler import WorkshopHandler
from workshops.models import Registration, Workshop
from workshops.pairing import SessionPlan
from workshops.publishing import PricePlan, save_workshop
from workshops.tests.factories import make_line, make_workshop
from workshops.tests.test_desk import filled_in

pytestmark = pytest.mark.django_db
handler = WorkshopHandler()
PRICES = [PricePlan(amount=Money(4500, "GBP"))]
START = (timezone.now() + timedelta(days=40)).replace(hour=9, minute=0, second=0, microsecond=0)


def daily(*days):
    return [
        SessionPlan(starts_at=START + timedelta(days=day), ends_at=START + timedelta(days=day, hours=2)) for day in days
    ]


def events(text):
    found = {str(event["uid"]): event for event in Calendar.from_ical(text).walk("VEVENT")}
    for event in found.values():
        # The moment of writing the file, which says nothing about the event.
        assert event.pop("dtstamp")
    return found


def entries(workshop, **options):
    return events(calendar_of(Workshop.objects.get(pk=workshop.pk), UTC, **options))


def starts(found):
    return {uid: event.decoded("dtstart") for uid, event in found.items()}


def change(workshop, *plans, **fields):
    workshop = Workshop.objects.get(pk=workshop.pk)
    for name, value in fields.items():
        setattr(workshop, name, value)
    return save_workshop(workshop=workshop, sessions=plans, prices=PRICES)


def test_a_moved_session_keeps_its_uid_and_counts_up():
    workshop = make_workshop(sessions=daily(0, 3))
    before = entries(workshop)
    [first, second] = before
    [session, other] = workshop.sessions.all()
    moved = SessionPlan(starts_at=session.starts_at + timedelta(hours=1), ends_at=session.ends_at + timedelta(hours=1))
    change(workshop, moved, SessionPlan(starts_at=other.starts_at, ends_at=other.ends_at))
    after = entries(workshop)
    assert list(after) == [first, second]
    assert after[first].decoded("dtstart") == moved.starts_at
    assert after[first]["sequence"] == before[first]["sequence"] + 1
    assert after[first].decoded("last-modified") == workshop.sessions.first().changed_at.replace(microsecond=0)
    assert workshop.sessions.first().changed_at > session.changed_at
    assert after[second].decoded("dtstart") == other.starts_at
    assert after[second]["sequence"] == before[second]["sequence"]


def test_an_update_in_the_database_counts_too():
    workshop = make_workshop()
    [before] = entries(workshop).values()
    workshop.sessions.update(ends_at=workshop.sessions.get().ends_at + timedelta(hours=1))
    stale = workshop.sessions.get()
    workshop.sessions.update(ends_at=stale.ends_at + timedelta(hours=1))
    stale.save(update_fields=["sequence"])
    [after] = entries(workshop).values()
    assert after["sequence"] == before["sequence"] + 2


@pytest.mark.parametrize("field", ["title", "place", "address"])
def test_what_entries_show_counts_them_up(field):
    workshop = make_workshop(sessions=daily(0))
    [before] = entries(workshop).values()
    change(workshop, *daily(0), **{field: "Other"})
    [after] = entries(workshop).values()
    assert after["uid"] == before["uid"]
    assert after["sequence"] > before["sequence"]


def test_what_entries_do_not_show_changes_nothing():
    workshop = make_workshop(sessions=daily(0))
    before = entries(workshop)
    change(workshop, *daily(0), description="Other words")
    assert entries(workshop) == before


def test_adding_and_reordering_sessions_leaves_the_others_alone():
    workshop = make_workshop(sessions=daily(0, 1, 2))
    before = entries(workshop)
    change(workshop, *daily(2, 0, 1, 9, 5))
    after = entries(workshop)
    assert {uid: after[uid] for uid in before} == before
    assert len(after) == 5


def test_sessions_that_name_their_rows_swap_their_times():
    workshop = make_workshop(sessions=daily(0, 1, 2))
    ids = list(workshop.sessions.values_list("pk", flat=True))
    plans = [
        SessionPlan(starts_at=plan.starts_at, ends_at=plan.ends_at, session_id=pk)
        for plan, pk in zip(daily(1, 2, 0), ids, strict=True)
    ]
    change(workshop, *plans)
    moved = {session.pk: session.starts_at for session in workshop.sessions.all()}
    assert moved == {plan.session_id: plan.starts_at for plan in plans}


def test_another_workshops_session_is_not_taken_over():
    theirs, mine = make_workshop(sessions=daily(7)), make_workshop(sessions=daily(0))
    [foreign] = theirs.sessions.all()
    change(mine, SessionPlan(starts_at=START, ends_at=START + timedelta(hours=3), session_id=foreign.pk))
    assert theirs.sessions.get() == foreign
    assert mine.sessions.get().ends_at == START + timedelta(hours=3)


def test_a_removed_session_is_cancelled_in_calendars_that_hold_it():
    workshop = make_workshop(sessions=daily(0, 1))
    handler.fulfil(make_line(workshop))
    before = entries(workshop)
    [_kept, gone] = before
    change(workshop, *daily(0))
    mail = Mail.objects.get(template="workshops/mail/workshop_moved")
    after = events(mail.attachments[0]["text"])
    assert after[gone]["status"] == "CANCELLED"
    assert after[gone]["sequence"] > before[gone]["sequence"]
    assert {uid for uid, event in after.items() if event["status"] == "CONFIRMED"} == set(before) - {gone}
    # For people who registered later it was never there.
    assert gone not in entries(workshop, held_since=timezone.now())


def ticket_calendar(registration):
    client = Client()
    client.force_login(registration.buyer)
    return events(client.get(f"{registration.get_absolute_url()}calendar/").content.decode())


def test_a_revoked_place_is_cancelled_and_a_new_one_counts_further():
    workshop, buyer = make_workshop(), UserFactory()
    line = make_line(workshop, buyer=buyer)
    handler.fulfil(line)
    ticket = Registration.objects.get()
    [before] = ticket_calendar(ticket).values()
    handler.revoke(line, 1, "Refunded")
    [cancelled] = ticket_calendar(ticket).values()
    assert cancelled["status"] == "CANCELLED"
    assert cancelled["sequence"] > before["sequence"]
    handler.fulfil(make_line(workshop, buyer=buyer))
    [again] = ticket_calendar(Registration.objects.latest("pk")).values()
    assert (again["uid"], again["status"]) == (before["uid"], "CONFIRMED")
    assert again["sequence"] >= cancelled["sequence"]
    # The person still comes, so the file of the revoked ticket does not cancel the entry either.
    assert ticket_calendar(ticket).popitem()[1]["status"] == "CONFIRMED"


def test_a_participant_whose_ticket_was_revoked_gets_the_entry_that_cancels_theirs():
    line = make_line(make_workshop(), participants=[{"name": "Ann", "email": "ann@example.org"}])
    handler.fulfil(line)
    handler.revoke(line, 1, "Refunded")
    mail = Mail.objects.get(template="workshops/mail/ticket_revoked")
    [event] = events(mail.attachments[0]["text"]).values()
    assert event["status"] == "CANCELLED"
    assert event["sequence"] == 1


def test_a_cancelled_workshop_cancels_its_entries():
    workshop = make_workshop(sessions=daily(0, 1))
    before = entries(workshop)
    cancel_workshop(workshop=workshop, reason="Ill", requested_by_id=workshop.teacher.user_id)
    after = entries(workshop)
    assert set(after) == set(before)
    for uid, event in after.items():
        assert event["status"] == "CANCELLED"
        assert event["sequence"] > before[uid]["sequence"]


def test_the_teachers_page_moves_each_of_three_daily_sessions_by_a_day():
    workshop = make_workshop(sessions=daily(0, 1, 2), time_zone="UTC")
    client = Client()
    client.force_login(workshop.teacher.user)
    page = client.get(f"/teach/workshops/{workshop.slug}/")
    sent = filled_in(time_zone="UTC") | {"sessions-TOTAL_FORMS": "6"}
    for number, form in enumerate(page.context["editor"].session_forms.forms[:3]):
        sent |= {
            f"sessions-{number}-session": form.initial["session"],
            f"sessions-{number}-day": (form.initial["day"] + timedelta(days=1)).isoformat(),
            f"sessions-{number}-starts": "09:00",
            f"sessions-{number}-ends": "11:00",
        }
    before = starts(entries(workshop))
    answer = client.post(f"/teach/workshops/{workshop.slug}/", sent)
    assert answer.status_code == 302
    assert starts(entries(workshop)) == {uid: start + timedelta(days=1) for uid, start in before.items()}


def test_a_row_emptied_by_the_teacher_removes_its_session():
    workshop = make_workshop(sessions=daily(0, 1), time_zone="UTC")
    [first, second] = workshop.sessions.all()
    client = Client()
    client.force_login(workshop.teacher.user)
    sent = filled_in(time_zone="UTC") | {
        "sessions-0-session": first.pk,
        "sessions-0-day": "",
        "sessions-0-starts": "",
        "sessions-0-ends": "",
        "sessions-1-session": second.pk,
        "sessions-1-day": second.starts_at.date().isoformat(),
        "sessions-1-starts": "09:00",
        "sessions-1-ends": "12:00",
    }
    assert client.post(f"/teach/workshops/{workshop.slug}/", sent).status_code == 302
    assert workshop.sessions.get() == second
    page = client.get(f"/teach/workshops/{workshop.slug}/").content.decode()
    assert f'name="sessions-0-session" value="{second.pk}"' in page


def test_a_school_course_over_a_clock_change_keeps_its_hour_in_berlin():
    friday = datetime(2027, 1, 8)
    sent = filled_in(time_zone="Europe/Berlin") | {"sessions-TOTAL_FORMS": "13"}
    for week in range(13):
        sent |= {
            f"sessions-{week}-day": (friday + timedelta(weeks=week)).date().isoformat(),
            f"sessions-{week}-starts": "18:00",
            f"sessions-{week}-ends": "20:00",
        }
    teacher = make_workshop().teacher
    client = Client()
    client.force_login(teacher.user)
    assert client.post("/teach/workshops/new/", sent).status_code == 302
    hours = {start.astimezone(UTC).hour for start in starts(entries(Workshop.objects.latest("pk"))).values()}
    assert hours == {16, 17}
