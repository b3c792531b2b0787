"""A school's real input passes from the forms it is typed into to every page, mail and file that shows it.

The people, the course over a clock change, the nights, the long link and the prices are what strangers stumbled over.
"""

import html
import re
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from itertools import permutations
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth import get_user
from django.core.files.uploadedfile import SimpleUploadedFile
from icalendar import Calendar
from PIL import Image

from accounts.applications import approve_teacher
from accounts.canonical_addresses import readable_address
from accounts.models import Teacher, User
from accounts.tests.factories import PASSWORD, UserFactory
from catalogue.models import Subject
from money import Money
from notifications.delivery import render
from notifications.models import Mail
from payments.settlement import settle_payment
from payments.tests.drawn_text import text_of_pdf
from payments.tests.factories import evidence_for
from tests.filled_forms import Visitor
from tests.market import open_order, signed_in
from workshops.models import Registration, Workshop

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
TODAY = datetime(2027, 2, 1, 9, tzinfo=UTC)
# Tuesdays; Berlin's clocks go forward on 28 March 2027.
TUESDAYS = [date(2027, 3, 2) + timedelta(weeks=week) for week in range(13)]
TEAMS = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_"
TEAMS += "N2Q4" * 20 + "%40thread.v2/0?context=%7b%22Tid%22%3a%22" + "a1-" * 8 + "%22%2c%22Oid%22%3a%22"
TEAMS = TEAMS.ljust(240, "b") + "%7d"
PERSIAN = "علی\u200cرضا"
STUDENTS = {
    "Nguyễn Thị Minh Khai": "khai@example.org",
    "O'Brien-Müller": "obrien@müller.example",
    "李小龍": "lee@example.org",
    PERSIAN: "Ali@Example.org",
}
TEACHER = "Zoë Großmann-Łęcka"
COURSE, NIGHT, EVENING = "Straßenmusik für Anfänger", "Nacht der Übungen", f"Abend mit {PERSIAN} bis Mitternacht"
# Marks that only place right-to-left text.
PLACED = re.compile("[\u202b\u202c]")


def sign_up(name, email):
    """A person who signed up and followed the link in the mail."""
    visitor = Visitor()
    visitor.cookies["time_zone"] = "Europe/Berlin"
    answer = visitor.fill_in("/accounts/signup/", "full_name", full_name=name, email=email, password1=PASSWORD)
    assert answer.status_code == 302, answer.context["form"].errors
    user = get_user(visitor)
    confirmation = render(Mail.objects.filter(user=user).latest("pk"))
    visitor.post(re.search(r"/accounts/confirm-email/[^/\s]+/", confirmation.text)[0])
    return visitor, user


def poster():
    """A portrait poster: half of it transparent, the other half red."""
    picture = Image.new("RGBA", (600, 900), (0, 0, 0, 0))
    picture.paste((200, 0, 0, 255), (0, 450, 600, 900))
    written = BytesIO()
    picture.save(written, "PNG")
    return SimpleUploadedFile("Plakat – Übung.png", written.getvalue(), content_type="image/png")


def sessions_on(days, starts, ends):
    fields = {}
    for number, day in enumerate(days):
        fields |= {
            f"sessions-{number}-day": day.isoformat(),
            f"sessions-{number}-starts": starts,
            f"sessions-{number}-ends": ends,
        }
    return fields


def plan(teacher, title, **typed):
    """Plan and publish a workshop on the teacher's page."""
    subject = str(Subject.objects.get(slug="musik").pk)
    typed = {"title": title, "summary": "Für alle.", "subject": subject, "capacity": "80", **typed}
    answer = teacher.fill_in("/teach/workshops/new/", "sessions-0-day", **typed, publish="1")
    assert answer.status_code == 302, answer.context["editor"].form.errors
    workshop = Workshop.objects.get(title=title)
    assert workshop.is_published
    return workshop


def buy(visitor, *workshops):
    """Put a place in each into the cart, and pay; only the page of Stripe is left out."""
    for workshop in workshops:
        assert visitor.fill_in(workshop.get_absolute_url(), "quantity", quantity="1").url == "/cart/"
    return settle_payment(evidence_for(open_order(get_user(visitor))))[0]


@pytest.fixture(autouse=True)
def february(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    settings.STAFF_NEEDS_MFA = False
    settings.TAX_RATE_BPS = 1900
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def school():
    """A teacher in Berlin with a course of 13 weeks, a night and an evening, all typed into the site's own pages."""
    Subject.objects.get_or_create(slug="musik", defaults={"name": "Straßenmusik"})
    teacher, person = sign_up(TEACHER, "zoe@example.org")
    answer = teacher.fill_in(
        "/teach/apply/",
        "biography",
        display_name=TEACHER,
        biography="Übung.",
        languages="German",
        regions="Deutschland",
    )
    assert answer.status_code == 302
    approve_teacher(teacher=Teacher.objects.get(user=person), by=UserFactory(is_staff=True))
    weekly = sessions_on(TUESDAYS, "18:00", "19:30")
    online = {"is_online": "on", "online_url": TEAMS, "cover": poster()}
    course = plan(teacher, COURSE, **weekly, **online, **{"price-EUR-amount": "1.234,50"})
    at_place = {"place": "Zürich", "address": "Limmatstraße 1\n8005 Zürich"}
    early = {"price-EUR-early_bird": "25,50", "price-EUR-early_bird_until": "2027-02-20T12:00"}
    night = plan(
        teacher,
        NIGHT,
        **sessions_on([date(2027, 4, 9)], "22:00", "06:00"),
        **at_place,
        **early,
        **{"price-EUR-amount": "€ 30,–"},
    )
    evening = plan(
        teacher,
        EVENING,
        **sessions_on([date(2027, 4, 10)], "20:00", "00:00"),
        **at_place,
        **{"price-EUR-amount": "25,50 €"},
    )
    return SimpleNamespace(teacher=teacher, teacher_user=person, course=course, night=night, evening=evening)


def words_of(markup):
    return re.sub(r"[ \n\t\N{NO-BREAK SPACE}]+", " ", html.unescape(re.sub(r"<[^>]*>", "", markup)))


def page(visitor, url):
    answer = visitor.get(url)
    assert answer.status_code == 200, url
    return words_of(answer.content.decode())


def test_the_course_keeps_its_hour_over_the_clock_change(school):
    sessions = list(school.course.sessions.all())
    assert [session.starts_at.astimezone(BERLIN).date() for session in sessions] == TUESDAYS
    assert {session.starts_at.astimezone(BERLIN).time() for session in sessions} == {time(18)}
    assert [session.starts_at.hour for session in sessions] == [17] * 4 + [16] * 9
    shown = page(sign_up("Anna", "anna@example.org")[0], school.course.get_absolute_url())
    assert shown.count("18:00–19:30 CET") == 4
    assert shown.count("18:00–19:30 CEST") == 9
    assert "Tue 25 May 2027, 18:00–19:30 CEST" in shown


def test_nights_and_prices_are_what_was_typed(school):
    assert {price.amount for price in school.course.prices.all()} == {Money(123450, "EUR")}
    [night] = school.night.prices.all()
    assert (night.amount, night.early_bird) == (Money(3000, "EUR"), Money(2550, "EUR"))
    assert {price.amount for price in school.evening.prices.all()} == {Money(2550, "EUR")}
    visitor = Visitor()
    assert "Fri 9 Apr 2027, 22:00 – Sat 10 Apr 2027, 06:00 CEST" in page(visitor, school.night.get_absolute_url())
    assert "Sat 10 Apr 2027, 20:00 – Sun 11 Apr 2027, 00:00 CEST" in page(visitor, school.evening.get_absolute_url())
    assert school.course.online_url == TEAMS
    assert len(TEAMS) == 243


def test_saving_the_pages_again_changes_nothing(school):
    """What a page shows of stored values, it reads back as the same values."""
    for workshop in (school.course, school.night, school.evening):
        before = (list(workshop.sessions.values()), list(workshop.prices.values("currency", "amount_minor")))
        address = f"/teach/workshops/{workshop.slug}/"
        assert school.teacher.fill_in(address, "sessions-0-day", cover=None).status_code == 302
        assert (list(workshop.sessions.values()), list(workshop.prices.values("currency", "amount_minor"))) == before


def test_the_poster_is_whole_and_its_transparent_half_stays_so(school):
    with Image.open(school.course.cover.path) as kept:
        assert (kept.format, kept.size) == ("WEBP", (600, 900))
        assert kept.getpixel((300, 100))[3] == 0
        red, green, blue, alpha = kept.getpixel((300, 700))
    assert alpha == 255
    assert red > 180
    assert max(green, blue) < 30
    assert school.course.cover.url in Visitor().get("/browse/").content.decode()


def receipt_of(visitor, order):
    return text_of_pdf(visitor.get(f"{order.get_absolute_url()}receipt.pdf").content)


@pytest.mark.parametrize("name", STUDENTS)
def test_a_student_is_called_the_same_on_every_page_receipt_and_mail(school, name):
    student, user = sign_up(name, STUDENTS[name])
    assert user.full_name == name
    order = buy(student, school.course, school.night, school.evening)
    assert [line.state for line in order.lines.all()] == ["fulfilled"] * 3
    assert order.total == Money(123450 + 2550 + 2550, "EUR")
    shown = page(student, order.get_absolute_url())
    assert all(text in shown for text in (COURSE, NIGHT, EVENING, "€1,234.50", "€25.50", "€1,285.50"))
    for ticket in Registration.objects.filter(buyer=user):
        assert name in page(student, ticket.get_absolute_url())
        assert name in page(school.teacher, f"/teach/tickets/{ticket.code}/")
        assert name in page(school.teacher, f"/teach/workshops/{ticket.workshop.slug}/participants/")
    assert name in page(school.teacher, "/teach/")
    # The form of the address that mail servers know is nothing for people.
    assert readable_address(user.email) == STUDENTS[name].lower()
    assert readable_address(user.email) in page(student, "/my/profile/")
    assert "xn--" not in shown + page(student, "/my/profile/") + receipt_of(student, order)
    staff_read_the_name(name, order)
    receipt_shows_what_was_bought(PLACED.sub("", receipt_of(student, order)), name)
    mails_tell_times_and_link(user, name)
    [sold] = Mail.objects.filter(user=school.teacher_user, template="workshops/mail/registration_received")[:1]
    assert name in render(sold).text


def staff_read_the_name(name, order):
    staff = signed_in(User.objects.create_superuser("staff@example.org", PASSWORD))
    for admin in ("payments/order", "accounts/user", "workshops/registration"):
        assert name in page(staff, f"/admin/{admin}/?q={name}"), admin
    assert name in page(staff, f"/admin/payments/order/{order.pk}/change/")


def receipt_shows_what_was_bought(receipt, name):
    # Persian is drawn from right to left, so its last letter is the leftmost.
    assert (name[::-1] if name == PERSIAN else name) in receipt.splitlines()
    assert EVENING.replace(PERSIAN, PERSIAN[::-1]) in receipt
    for text in (COURSE, NIGHT, "€1,234.50", "€25.50", "€1,285.50", "of which VAT", "€205.25"):
        assert text in receipt, receipt
    assert "22:00 – Sat 10 Apr 2027, 06:00 CEST" in receipt
    assert "Paid on Mon 1 Feb 2027, 10:00 CET" in receipt


def mails_tell_times_and_link(user, name):
    purchase = render(Mail.objects.get(user=user, template="payments/mail/payment_confirmed"))
    assert f"Hello {name}," in purchase.text
    for text in (purchase.text, html.unescape(purchase.html)):
        assert TEAMS in text
        assert name in text
        assert "Tue 30 Mar 2027, 18:00–19:30 CEST" in text
        assert "Fri 9 Apr 2027, 22:00 – Sat 10 Apr 2027, 06:00 CEST" in text
        assert "€1,285.50" in text


def test_calendars_show_each_session_at_its_moment(school):
    student, user = sign_up(PERSIAN, STUDENTS[PERSIAN])
    buy(student, school.course, school.night, school.evening)

    def events_of(workshop):
        ticket = Registration.objects.get(buyer=user, workshop=workshop)
        answer = student.get(f"{ticket.get_absolute_url()}calendar/").content
        assert max(map(len, answer.splitlines())) <= 75
        return Calendar.from_ical(answer).walk("VEVENT")

    weekly = events_of(school.course)
    assert [event.decoded("dtstart").astimezone(BERLIN).date() for event in weekly] == TUESDAYS
    assert {event.decoded("dtstart").astimezone(BERLIN).time() for event in weekly} == {time(18)}
    assert {str(event["location"]) for event in weekly} == {TEAMS}
    assert len({str(event["uid"]) for event in weekly}) == 13
    [night] = events_of(school.night)
    assert (night.decoded("dtstart"), night.decoded("dtend")) == (utc(9, 20), utc(10, 4))
    assert str(night["location"]) == "Zürich, Limmatstraße 1, 8005 Zürich"
    [evening] = events_of(school.evening)
    assert (evening.decoded("dtstart"), evening.decoded("dtend")) == (utc(10, 18), utc(10, 22))
    assert str(evening["summary"]) == EVENING


def test_sixty_people_pasted_at_once_come_with_a_ticket_each(school):
    pupils = [f"Schülerin Æther-Łódź {letters}" for letters in map("".join, permutations("abcde", 3))]
    coming = [*STUDENTS, *pupils][:60]
    lines = [f"{name}\t{STUDENTS[name]}" if name in STUDENTS else name for name in coming]
    head, user = sign_up("Jürgen Weiß", "weiss@schule.example")
    naming = f"/workshops/{school.evening.slug}/register/"
    assert head.fill_in(naming, "list_of_people", list_of_people="\r\n".join(lines)).url == "/cart/"
    order = settle_payment(evidence_for(open_order(user)))[0]
    assert order.total == Money(60 * 2550, "EUR")
    tickets = Registration.objects.filter(buyer=user).order_by("position")
    assert [ticket.participant_name for ticket in tickets] == coming
    listed = page(school.teacher, f"/teach/workshops/{school.evening.slug}/participants/")
    assert "60 of 80 places" in listed
    purchase = render(Mail.objects.get(user=user, template="payments/mail/payment_confirmed")).text
    for text in (listed, purchase, page(head, "/my/workshops/")):
        assert [name for name in coming if name not in text] == []
    mailed = set(Mail.objects.filter(template="workshops/mail/ticket_issued").values_list("to", flat=True))
    assert mailed == {"khai@example.org", "obrien@xn--mller-kva.example", "lee@example.org", "ali@example.org"}
    assert "O'Brien-Müller (obrien@müller.example)" in purchase
    assert "60" in receipt_of(head, order)
    assert "€1,530.00" in receipt_of(head, order)
    assert "Only 20" not in page(Visitor(), school.evening.get_absolute_url())


def utc(day, hour):
    return datetime(2027, 4, day, hour, tzinfo=UTC)
