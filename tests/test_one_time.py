"""One moment is told the same way wherever it stands: same day, hour and zone on every page, mail, file and receipt.

What happens at a place is told in the place's zone, what happens online in the reader's.
"""

import html
import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client
from icalendar import Calendar

from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.slots import Slot
from bookings.tests.factories import proposed_lesson
from money import Money
from notifications.attachments import content_of
from notifications.delivery import render
from notifications.models import Mail
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for
from payments.tests.test_receipts import content_of as drawn_on
from tests.market import open_order, signed_in
from workshops.models import Registration
from workshops.publishing import PricePlan, SessionPlan
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db
VISITORS = ["America/New_York", "Europe/Berlin", "Asia/Tokyo", "Asia/Kathmandu"]
# A day, an hour and what follows them: another hour or not, and a word for the zone.
DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} [A-Z][a-z]{2} \d{4}"
ZONE = r" (?:[A-Z]{2,5}(?:[+-]\d\d:\d\d)?)"
MENTION = re.compile(rf"{DAY}, \d\d:\d\d(?:{ZONE})?(?: ?– ?(?:{DAY}, )?\d\d:\d\d)?(?:{ZONE})?")
# Places are still for sale, and nothing in this table is in the past.
TODAY = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def december():
    with time_machine.travel(TODAY, tick=False):
        yield


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


KYOTO = {"starts_at": utc(2027, 1, 2, 1), "ends_at": utc(2027, 1, 2, 3), "place": "Kyoto", "time_zone": "Asia/Tokyo"}
IN_KYOTO = "Sat 2 Jan 2027, 10:00–12:00 JST"
MIDNIGHT = {"starts_at": utc(2027, 1, 5, 22, 30), "ends_at": utc(2027, 1, 5, 23, 30), "is_online": True}
AUTUMN = {"starts_at": utc(2027, 10, 31, 0, 30), "ends_at": utc(2027, 10, 31, 1, 30), "is_online": True}
SPRING = {"starts_at": utc(2027, 3, 14, 6, 30), "ends_at": utc(2027, 3, 14, 7, 30), "is_online": True}
WRITTEN = [
    (KYOTO, dict.fromkeys(VISITORS, IN_KYOTO)),
    (
        MIDNIGHT,
        {
            "America/New_York": "Tue 5 Jan 2027, 17:30–18:30 EST",
            "Europe/Berlin": "Tue 5 Jan 2027, 23:30 – Wed 6 Jan 2027, 00:30 CET",
            "Asia/Tokyo": "Wed 6 Jan 2027, 07:30–08:30 JST",
            "Asia/Kathmandu": "Wed 6 Jan 2027, 04:15–05:15 UTC+05:45",
        },
    ),
    (
        AUTUMN,
        {
            "America/New_York": "Sat 30 Oct 2027, 20:30–21:30 EDT",
            "Europe/Berlin": "Sun 31 Oct 2027, 02:30 CEST – 02:30 CET",
            "Asia/Tokyo": "Sun 31 Oct 2027, 09:30–10:30 JST",
            "Asia/Kathmandu": "Sun 31 Oct 2027, 06:15–07:15 UTC+05:45",
        },
    ),
    (
        SPRING,
        {
            "America/New_York": "Sun 14 Mar 2027, 01:30 EST – 03:30 EDT",
            "Europe/Berlin": "Sun 14 Mar 2027, 07:30–08:30 CET",
            "Asia/Tokyo": "Sun 14 Mar 2027, 15:30–16:30 JST",
            "Asia/Kathmandu": "Sun 14 Mar 2027, 12:15–13:15 UTC+05:45",
        },
    ),
]
ROWS = [(happening, zone, written[zone]) for happening, written in WRITTEN for zone in VISITORS]
LESSON_ROWS = [row for row in ROWS if row[0] in (KYOTO, MIDNIGHT)]


def words_of(markup):
    """What a reader sees of a page or mail."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", markup)))


def page(client, url):
    response = client.get(url)
    assert response.status_code == 200, url
    return words_of(response.content.decode())


def words_of_pdf(pdf):
    drawn = re.findall(rb"\((.*?)\) Tj", drawn_on(pdf))
    return " ".join(line.decode("cp1252").replace("\\", "") for line in drawn)


def words_of_calendar(content):
    """The description, which must be about the same moment as the entry itself."""
    event = Calendar.from_ical(content).walk("VEVENT")[0]
    return str(event["description"]), event.decoded("dtstart"), event.decoded("dtend")


def mails_to(user):
    """Everything a person's mails and the files in them say, by name."""
    said = {}
    for mail in Mail.objects.filter(to=user.email):
        rendered = render(mail)
        said[f"{mail.template} as text"] = " ".join(f"{rendered.subject} {rendered.text}".split())
        said[f"{mail.template} as HTML"] = words_of(rendered.html)
        for attachment in mail.attachments:
            content = content_of(attachment)
            if attachment["mime"] == "text/calendar":
                said[f"{mail.template}'s calendar file"] = words_of_calendar(content)[0]
            else:
                said[f"{mail.template}'s receipt"] = words_of_pdf(content)
    return said


def bought_by(user):
    """Pay for what is in a person's cart."""
    order, _ = settle_payment(evidence_for(open_order(user)))
    return order


def workshop_for(happening, **fields):
    given = {"capacity": 5, "teacher": TeacherFactory(user__time_zone="Australia/Sydney"), **happening, **fields}
    session = SessionPlan(starts_at=given.pop("starts_at"), ends_at=given.pop("ends_at"))
    prices = [PricePlan(amount=Money(4500, "GBP"))]
    return make_workshop(sessions=[session], prices=prices, **({"time_zone": "Australia/Sydney"} | given))


def pages_before_buying(client, workshop):
    return {
        path: page(client, path)
        for path in (
            "/",
            "/browse/",
            "/browse/?sort=soonest",
            workshop.teacher.get_absolute_url(),
            workshop.get_absolute_url(),
        )
    }


def everything_about(workshop, client, user):
    """What a buyer reads about a workshop, from the first card to the receipt."""
    said = pages_before_buying(client, workshop)
    client.post(f"/workshops/{workshop.slug}/add/", {"quantity": 1})
    said["/cart/"] = page(client, "/cart/")
    order = bought_by(user)
    ticket = Registration.objects.get(buyer=user)
    for path in (order.get_absolute_url(), "/my/workshops/", ticket.get_absolute_url()):
        said[path] = page(client, path)
    said["receipt"] = words_of_pdf(client.get(f"{order.get_absolute_url()}receipt.pdf").content)
    calendar = client.get(f"/my/workshops/{ticket.code}/calendar/").content
    said["calendar"], starts_at, ends_at = words_of_calendar(calendar)
    session = workshop.sessions.get()
    assert (starts_at, ends_at) == (session.starts_at, session.ends_at)
    return said | mails_to(user)


def disagreements(said, written):
    """Where neither the whole span nor its start with the zone is told."""
    start, zone = re.match(rf"({DAY}, \d\d:\d\d)({ZONE})?", written).groups()
    begins = f"{start}{zone or re.search(rf'{ZONE}$', written).group()}"
    return [(where, text) for where, text in said.items() if written not in text and begins not in text]


def mentions_without_zone(said):
    return [
        (where, mention)
        for where, text in said.items()
        for mention in MENTION.findall(text)
        if not re.search(rf"{ZONE}$", mention)
    ]


def other_days(said, written, also=()):
    """Days that stand beside an hour and are not the workshop's, the refund dates' or today's."""
    allowed = {day for text in (written, *also) for day in re.findall(DAY, text)}
    return {
        (where, day)
        for where, text in said.items()
        for mention in MENTION.findall(text)
        for day in re.findall(DAY, mention)
        if day not in allowed
    }


@pytest.mark.parametrize(("happening", "zone", "written"), ROWS)
def test_a_workshop_is_at_one_time_for_its_buyer(happening, zone, written):
    user = UserFactory(time_zone=zone, full_name="Zoe Buyer")
    workshop = workshop_for(happening)
    said = everything_about(workshop, signed_in(user), user)
    assert disagreements(said, written) == []
    assert mentions_without_zone(said) == []
    refunds = re.findall(rf"(?:refund|half) until {DAY}", said[workshop.get_absolute_url()])
    paid = re.findall(rf"Paid on {DAY}", said["receipt"])
    assert len(refunds) == 2
    assert paid
    assert other_days(said, written, [*refunds, *paid]) == set()


@pytest.mark.parametrize(("happening", "zone", "written"), ROWS)
def test_a_workshop_is_at_one_time_for_a_guest(happening, zone, written):
    client = Client()
    client.cookies["time_zone"] = zone
    workshop = workshop_for(happening)
    said = pages_before_buying(client, workshop)
    client.post(f"/workshops/{workshop.slug}/add/", {"quantity": 1})
    said["/cart/"] = page(client, "/cart/")
    assert disagreements(said, written) == []
    assert mentions_without_zone(said) == []


@pytest.mark.parametrize(("happening", "zone", "written"), ROWS)
def test_a_teacher_reads_the_time_as_their_buyers_do(happening, zone, written):
    teacher = TeacherFactory(user__time_zone=zone)
    workshop = workshop_for(happening, teacher=teacher)
    client = signed_in(teacher.user)
    said = {
        path: page(client, path) for path in ("/teach/workshops/", f"/teach/workshops/{workshop.slug}/participants/")
    }
    assert disagreements(said, written) == []
    assert mentions_without_zone(said) == []


def lesson_for(happening, *, student, teacher):
    when = Slot(happening["starts_at"], happening["ends_at"])
    is_online = "place" not in happening
    place = {} if is_online else {"place": happening["place"]}
    return proposed_lesson(when=when, student=student, teacher=teacher, is_online=is_online, **place)


def everything_about_lesson(lesson, client, user):
    said = {}
    request = f"/my/lessons/requests/{lesson.request_id}/"
    said["request"] = page(client, request)
    client.post(f"{request}buy/", {"lesson": lesson.pk})
    said["/cart/"] = page(client, "/cart/")
    order = bought_by(user)
    for path in (order.get_absolute_url(), "/my/lessons/", lesson.get_absolute_url()):
        said[path] = page(client, path)
    said["receipt"] = words_of_pdf(client.get(f"{order.get_absolute_url()}receipt.pdf").content)
    said["calendar"], starts_at, ends_at = words_of_calendar(
        client.get(f"{lesson.get_absolute_url()}calendar.ics").content
    )
    assert (starts_at, ends_at) == (lesson.starts_at, lesson.ends_at)
    return said | mails_to(user)


@pytest.mark.parametrize(("happening", "zone", "written"), LESSON_ROWS)
def test_a_lesson_is_at_one_time_for_student_and_teacher(happening, zone, written):
    """The teacher lives in Tokyo and teaches there, wherever the student reads of it."""
    teacher = TeacherFactory(user__time_zone="Asia/Tokyo")
    student = UserFactory(time_zone=zone, full_name="Zoe Buyer")
    lesson = lesson_for(happening, student=student, teacher=teacher)
    said = everything_about_lesson(lesson, signed_in(student), student)
    assert disagreements(said, written) == []
    assert mentions_without_zone(said) == []
    to_teacher = dict(WRITTEN[[KYOTO, MIDNIGHT].index(happening)][1])["Asia/Tokyo"]
    client = signed_in(teacher.user)
    teachers = {path: page(client, path) for path in ("/teach/lessons/", lesson.get_absolute_url())}
    confirmed = {where: text for where, text in mails_to(teacher.user).items() if "confirmed" in where}
    assert len(confirmed) == 3
    assert disagreements(teachers | confirmed, to_teacher) == []


def test_a_lesson_stays_where_it_is_when_its_teacher_moves():
    teacher = TeacherFactory(user__time_zone="Asia/Tokyo")
    student = UserFactory(time_zone="America/New_York")
    lesson = lesson_for(KYOTO, student=student, teacher=teacher)
    teacher.user.time_zone = "Europe/Berlin"
    teacher.user.save()
    assert IN_KYOTO in page(signed_in(teacher.user), "/teach/lessons/")
    assert IN_KYOTO in page(signed_in(student), f"/my/lessons/requests/{lesson.request_id}/")


@pytest.mark.parametrize("zone", VISITORS)
def test_the_day_to_filter_by_is_the_day_on_the_card(zone):
    workshop_for(KYOTO)
    client = Client()
    client.cookies["time_zone"] = zone
    found = client.get("/browse/", {"from_date": "2027-01-02", "to_date": "2027-01-02"})
    assert [listing.place for listing in found.context["page"]] == ["Kyoto"]
    for before in ({"to_date": "2027-01-01"}, {"from_date": "2027-01-03"}):
        assert list(client.get("/browse/", before).context["page"]) == []


def test_what_is_online_is_found_by_the_reader_s_day():
    workshop_for(MIDNIGHT)
    client = Client()
    for zone, day in (("America/New_York", "2027-01-05"), ("Asia/Tokyo", "2027-01-06")):
        client.cookies["time_zone"] = zone
        assert len(client.get("/browse/", {"from_date": day, "to_date": day}).context["page"]) == 1


@pytest.mark.parametrize(("zone", "day"), [("America/New_York", "Thu 31 Dec 2026"), ("Asia/Tokyo", "Fri 1 Jan 2027")])
def test_the_day_of_paying_is_the_buyer_s_on_page_and_receipt(zone, day):
    user = UserFactory(time_zone=zone, full_name="Zoe Buyer")
    workshop = workshop_for(SPRING)
    with time_machine.travel(utc(2026, 12, 31, 20), tick=False):
        client = signed_in(user)
        client.post(f"/workshops/{workshop.slug}/add/", {"quantity": 1})
        order = bought_by(user)
        receipt = words_of_pdf(client.get(f"{order.get_absolute_url()}receipt.pdf").content)
        assert f"Paid on {day}, " in receipt
        assert f"on {day}, " in page(client, order.get_absolute_url())
        assert day in page(client, "/my/orders/")


def test_a_reader_whose_zone_is_unknown_is_told_the_site_s():
    workshop = workshop_for(MIDNIGHT)
    for path, text in pages_before_buying(Client(), workshop).items():
        assert "Tue 5 Jan 2027, 22:30" in text, path
        assert "UTC" in text, path
