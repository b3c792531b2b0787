"""Staff look up and edit workshops in the admin, and put them on and off sale."""

import io
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import User
from accounts.tests.factories import TeacherFactory, UserFactory
from catalogue.models import Listing
from money import Money
from notifications.models import Mail
from workshops.handler import WorkshopHandler
from workshops.models import Registration, Workshop
from workshops.publishing import SessionPlan, save_workshop
from workshops.tests.factories import make_line, make_workshop

pytestmark = pytest.mark.django_db
handler = WorkshopHandler()


@pytest.fixture
def staff(settings):
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.org", "correct horse battery"))
    return client


def in_the_morning():
    """A session that may end until midnight, whatever the time is now."""
    starts_at = (timezone.now() + timedelta(days=30)).replace(hour=10, minute=0, second=0, microsecond=0)
    return SessionPlan(starts_at=starts_at, ends_at=starts_at + timedelta(hours=6))


def sent_for(workshop, **changes):
    session, price = workshop.sessions.get(), workshop.prices.get()
    return {
        "title": workshop.title,
        "summary": workshop.summary,
        "teacher": workshop.teacher_id,
        "subject": workshop.subject_id,
        "language": "en",
        "place": workshop.place,
        "address": workshop.address,
        "time_zone": "Europe/London",
        "capacity": workshop.capacity,
        "sessions-TOTAL_FORMS": "1",
        "sessions-INITIAL_FORMS": "1",
        "sessions-0-id": session.pk,
        "sessions-0-workshop": workshop.pk,
        "sessions-0-starts_at_0": f"{session.starts_at:%Y-%m-%d}",
        "sessions-0-starts_at_1": f"{session.starts_at:%H:%M:%S}",
        "sessions-0-ends_at_0": f"{session.ends_at:%Y-%m-%d}",
        "sessions-0-ends_at_1": f"{session.ends_at:%H:%M:%S}",
        "prices-TOTAL_FORMS": "1",
        "prices-INITIAL_FORMS": "1",
        "prices-0-id": price.pk,
        "prices-0-workshop": workshop.pk,
        "prices-0-currency": price.currency,
        "prices-0-amount_minor": price.amount.to_major(),
    } | changes


def test_lists_and_forms_open(staff):
    workshop = make_workshop()
    handler.fulfil(make_line(workshop))
    registration = Registration.objects.get()
    for url in (
        reverse("admin:workshops_workshop_changelist") + "?q=bread",
        reverse("admin:workshops_workshop_change", args=[workshop.pk]),
        reverse("admin:workshops_registration_changelist") + f"?q={registration.code}",
        reverse("admin:workshops_registration_change", args=[registration.pk]),
    ):
        assert staff.get(url).status_code == 200, url


def test_a_change_by_staff_updates_the_catalogue(staff):
    workshop = make_workshop()
    url = reverse("admin:workshops_workshop_change", args=[workshop.pk])
    response = staff.post(url, sent_for(workshop, title="Sourdough", **{"prices-0-amount_minor": "50,00"}))
    assert response.status_code == 302, response.context["errors"]
    listing = Listing.objects.get()
    assert listing.title == "Sourdough"
    assert listing.prices.get().amount_minor == 5000


def test_a_price_that_no_card_can_be_charged_is_refused(staff):
    workshop = make_workshop()
    url = reverse("admin:workshops_workshop_change", args=[workshop.pk])
    response = staff.post(url, sent_for(workshop, **{"prices-0-amount_minor": "0.29"}))
    assert "The least that can be paid by card is £0.30." in response.content.decode()
    for nonsense in ({"prices-0-currency": "XXY"}, {"prices-0-amount_minor": ""}, {"prices-0-currency": ""}):
        assert staff.post(url, sent_for(workshop, **nonsense)).status_code == 200


def test_staff_cannot_reduce_the_capacity_below_taken_places(staff):
    workshop = make_workshop(capacity=10)
    handler.fulfil(make_line(workshop, quantity=6))
    url = reverse("admin:workshops_workshop_change", args=[workshop.pk])
    response = staff.post(url, sent_for(workshop, capacity=5))
    assert response.status_code == 200
    assert "6 places are already taken" in response.content.decode()
    assert Workshop.objects.get().capacity == 10


def test_the_actions_put_on_and_off_sale(staff):
    workshop = make_workshop()
    url = reverse("admin:workshops_workshop_changelist")
    for action, state in (("withdraw_chosen", "withdrawn"), ("publish_chosen", "published")):
        staff.post(url, {"action": action, "_selected_action": [workshop.pk]})
        assert Workshop.objects.get().state == state
        assert Listing.objects.exists() is (state == "published")


def test_registrations_cannot_be_edited_or_deleted_in_the_admin(staff):
    handler.fulfil(make_line(make_workshop()))
    registration = Registration.objects.get()
    url = reverse("admin:workshops_registration_change", args=[registration.pk])
    assert staff.post(url, {"seat": "3"}).status_code == 403
    assert staff.post(reverse("admin:workshops_registration_delete", args=[registration.pk])).status_code == 403
    assert staff.get(reverse("admin:workshops_registration_add")).status_code == 403


def change_page(workshop):
    return reverse("admin:workshops_workshop_change", args=[workshop.pk])


@pytest.mark.parametrize(
    "changes",
    [
        {"place": "York"},
        {"is_online": "on", "online_url": "https://meet.example.org/1"},
        {"sessions-0-ends_at_1": "23:59"},
    ],
)
def test_registered_people_get_a_mail_when_staff_move_a_workshop(staff, changes):
    workshop = make_workshop(sessions=[in_the_morning()])
    handler.fulfil(make_line(workshop))
    registration = Registration.objects.get()
    assert staff.post(change_page(workshop), sent_for(workshop, **changes)).status_code == 302
    [mail] = Mail.objects.filter(template="workshops/mail/workshop_moved")
    assert mail.user == registration.buyer


def test_a_new_price_sends_no_mail_and_many_moves_send_one_mail_with_the_last_place(staff):
    workshop = make_workshop()
    handler.fulfil(make_line(workshop))
    staff.post(change_page(workshop), sent_for(workshop, **{"prices-0-amount_minor": "50,00"}))
    moved = Mail.objects.filter(template="workshops/mail/workshop_moved")
    assert not moved.exists()
    for number in range(20):
        staff.post(change_page(workshop), sent_for(workshop, place="Leeds" if number % 2 else "York"))
    mail = moved.get()
    assert mail.context["where"].startswith("Leeds")
    assert "Leeds" in mail.attachments[0]["text"]


def test_the_teacher_of_a_workshop_cannot_be_changed(staff):
    workshop, other = make_workshop(), TeacherFactory()
    assert staff.post(change_page(workshop), sent_for(workshop, teacher=other.pk)).status_code == 302
    workshop.refresh_from_db()
    assert workshop.teacher_id != other.pk
    save_workshop(workshop=change_of(workshop, teacher=other), sessions=plans_of(workshop), prices=[])
    workshop.refresh_from_db()
    assert workshop.teacher_id != other.pk


def change_of(workshop, **fields):
    workshop = Workshop.objects.get(pk=workshop.pk)
    for name, value in {"state": "draft", **fields}.items():
        setattr(workshop, name, value)
    Workshop.objects.filter(pk=workshop.pk).update(state="draft")
    return workshop


def plans_of(workshop):
    return [SessionPlan(starts_at=one.starts_at, ends_at=one.ends_at) for one in workshop.sessions.all()]


@pytest.mark.parametrize(
    ("changes", "message", "place"),
    [
        ({"prices-0-DELETE": "on"}, "Add a price first.", "prices"),
        ({"sessions-0-DELETE": "on"}, "Add at least one session first.", "sessions"),
        ({"place": ""}, "Say where it takes place: online, or at which place.", "place"),
    ],
)
def test_a_refused_workshop_is_shown_again_with_the_values_entered(staff, changes, message, place):
    workshop = make_workshop(sessions=[in_the_morning()])
    typed = {"title": "Typed with care", "sessions-0-ends_at_1": "23:58:57", **changes}
    answer = staff.post(change_page(workshop), sent_for(workshop, **typed))
    assert answer.status_code == 200
    shown = answer.content.decode()
    assert "Typed with care" in shown
    assert "23:58:57" in shown
    places = {name: str(errors) for name, errors in answer.context["adminform"].form.errors.items()}
    for table in answer.context["inline_admin_formsets"]:
        if errors := table.formset.non_form_errors():
            places[table.formset.prefix] = str(errors)
    assert list(places) == [place]
    assert message in places[place]
    assert shown.count(message) == 1
    workshop.refresh_from_db()
    assert workshop.title != "Typed with care"
    assert (workshop.prices.count(), workshop.sessions.count()) == (1, 1)
    assert Listing.objects.get().title == workshop.title


def small_picture():
    content = io.BytesIO()
    Image.new("RGB", (1_600, 900)).save(content, "PNG")
    return SimpleUploadedFile("cover.png", content.getvalue(), "image/png")


def test_a_picture_sent_with_a_refused_form_causes_no_second_error(staff):
    workshop = make_workshop()
    sent = sent_for(workshop, cover=small_picture(), place="")
    answer = staff.post(change_page(workshop), sent)
    assert list(answer.context["adminform"].form.errors) == ["place"]
    workshop.refresh_from_db()
    assert not workshop.cover


def test_a_refusal_about_hidden_rows_is_shown_above_the_form(settings):
    workshop = make_workshop()
    workshop.prices.all().delete()
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="change_workshop"))
    client = Client()
    client.force_login(user)
    answer = client.post(change_page(workshop), sent_for_without_prices(workshop))
    assert answer.context["adminform"].form.non_field_errors() == ["Add a price first."]


def sent_for_without_prices(workshop):
    names = ("title", "summary", "place", "address", "capacity")
    fields = {name: getattr(workshop, name) for name in names}
    return fields | {"subject": workshop.subject_id or "", "language": "en", "time_zone": "Europe/London"}


def test_staff_add_a_workshop_with_sessions_and_prices(staff):
    model = make_workshop()
    sent = sent_for(model, title="Another", **{"sessions-INITIAL_FORMS": "0", "prices-INITIAL_FORMS": "0"})
    sent = {name: value for name, value in sent.items() if not name.endswith(("-id", "-0-workshop"))}
    answer = staff.post(reverse("admin:workshops_workshop_add"), sent)
    assert answer.status_code == 302, answer.context["errors"]
    added = Workshop.objects.get(title="Another")
    assert (added.sessions.count(), added.prices.count(), added.teacher) == (1, 1, model.teacher)


def test_the_history_names_what_staff_changed(staff):
    workshop = make_workshop()
    staff.post(change_page(workshop), sent_for(workshop, place="York", **{"prices-0-amount_minor": "50,00"}))
    [entry] = LogEntry.objects.all()
    assert "place" in entry.get_change_message().lower()
    assert "amount" in entry.get_change_message().lower()


def test_rows_hidden_from_staff_are_kept():
    workshop = make_workshop()
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="change_workshop"))
    client = Client()
    client.force_login(user)
    assert client.post(change_page(workshop), sent_for(workshop, title="New")).status_code == 302
    workshop.refresh_from_db()
    assert (workshop.title, workshop.sessions.count(), workshop.prices.count()) == ("New", 1, 1)


def three_daily_sessions():
    start = (timezone.now() + timedelta(days=30)).replace(hour=9, minute=0, second=0, microsecond=0)
    days = [start + timedelta(days=day) for day in range(3)]
    return make_workshop(sessions=[SessionPlan(starts_at=day, ends_at=day + timedelta(hours=2)) for day in days])


def sent_with_sessions_moved(workshop, by, **changes):
    sessions = list(workshop.sessions.all())
    sent = sent_for_without_prices(workshop) | {
        "teacher": workshop.teacher_id,
        "sessions-TOTAL_FORMS": "3",
        "sessions-INITIAL_FORMS": "3",
        "prices-TOTAL_FORMS": "0",
        "prices-INITIAL_FORMS": "0",
    }
    for number, session in enumerate(sessions):
        starts_at, ends_at = (timezone.localtime(moment + by) for moment in (session.starts_at, session.ends_at))
        sent |= {
            f"sessions-{number}-id": session.pk,
            f"sessions-{number}-workshop": workshop.pk,
            f"sessions-{number}-starts_at_0": f"{starts_at:%Y-%m-%d}",
            f"sessions-{number}-starts_at_1": f"{starts_at:%H:%M:%S}",
            f"sessions-{number}-ends_at_0": f"{ends_at:%Y-%m-%d}",
            f"sessions-{number}-ends_at_1": f"{ends_at:%H:%M:%S}",
        }
    sent |= {
        "prices-TOTAL_FORMS": "1",
        "prices-INITIAL_FORMS": "1",
        "prices-0-id": workshop.prices.get().pk,
        "prices-0-workshop": workshop.pk,
        "prices-0-currency": "GBP",
        "prices-0-amount_minor": "£45",
    }
    return sent | changes


@pytest.mark.parametrize("by", [timedelta(days=1), timedelta(days=-1), timedelta(days=2)])
def test_staff_move_each_of_three_daily_sessions(staff, by):
    workshop = three_daily_sessions()
    before = list(workshop.sessions.values_list("pk", "starts_at"))
    answer = staff.post(change_page(workshop), sent_with_sessions_moved(workshop, by))
    assert answer.status_code == 302, answer.context["errors"]
    assert list(workshop.sessions.values_list("pk", "starts_at")) == [(pk, start + by) for pk, start in before]


def test_sessions_that_start_together_or_overlap_are_refused(staff):
    workshop = three_daily_sessions()
    second = workshop.sessions.all()[1]
    for clock in ("09:00:00", "10:00:00"):
        same_day = {
            "sessions-0-starts_at_0": f"{second.starts_at:%Y-%m-%d}",
            "sessions-0-starts_at_1": clock,
            "sessions-0-ends_at_0": f"{second.starts_at:%Y-%m-%d}",
            "sessions-0-ends_at_1": "10:30:00",
        }
        answer = staff.post(change_page(workshop), sent_with_sessions_moved(workshop, timedelta(0), **same_day))
        assert answer.status_code == 200
        shown = answer.content.decode()
        assert "Two sessions overlap." in shown or "duplicate data" in shown


@pytest.mark.parametrize("year", ["9999", "0001", "0026", "1999", "2200"])
@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
def test_staff_cannot_enter_years_that_are_typing_errors(staff, year, field):
    workshop = make_workshop()
    session = workshop.sessions.get()
    day = f"{year}-01-01" if year == "0001" else f"{year}-12-31"
    answer = staff.post(change_page(workshop), sent_for(workshop, **{f"sessions-0-{field}_0": day}))
    assert answer.status_code == 200
    assert "Give a year close to the current one." in answer.content.decode()
    assert workshop.sessions.get().starts_at == session.starts_at


@pytest.mark.parametrize("field", ["registration_opens_at", "registration_closes_at"])
def test_staff_cannot_enter_such_years_for_registration(staff, field):
    workshop = make_workshop()
    sent = sent_for(workshop, **{f"{field}_0": "9999-12-31", f"{field}_1": "23:59:00"})
    answer = staff.post(change_page(workshop), sent)
    assert "Give a year close to the current one." in answer.content.decode()


def test_staff_cannot_enter_a_session_of_days(staff):
    workshop = make_workshop()
    ends_on = workshop.sessions.get().ends_at + timedelta(days=2)
    answer = staff.post(change_page(workshop), sent_for(workshop, **{"sessions-0-ends_at_0": f"{ends_on:%Y-%m-%d}"}))
    assert "This session would last" in answer.content.decode()


@pytest.mark.parametrize(
    ("currency", "typed", "minor"),
    [
        ("GBP", "45", 4500),
        ("EUR", "25,50", 2550),
        ("USD", "1,234.50", 123450),
        ("CHF", "CHF 45.50", 4550),
        ("JPY", "4500", 4500),
        ("KWD", "4.500", 4500),
    ],
)
def test_prices_are_typed_as_on_the_site(staff, settings, currency, typed, minor):
    settings.CURRENCIES = [*settings.CURRENCIES, currency]
    workshop = make_workshop()
    changes = {"prices-0-currency": currency, "prices-0-amount_minor": typed}
    response = staff.post(change_page(workshop), sent_for(workshop, **changes))
    assert response.status_code == 302, response.context["errors"]
    assert workshop.prices.get().amount == Money(minor, currency)
    shown = staff.get(change_page(workshop)).content.decode()
    assert f'value="{Money(minor, currency).to_major()}"' in shown


@pytest.mark.parametrize("typed", ["1e3", "1_000", "-5", "GBP", "4.5.0", "٤٥", "45.999", "0x10", "NaN"])
def test_an_amount_that_cannot_be_read_is_refused_and_kept_as_typed(staff, typed):
    workshop = make_workshop()
    before = workshop.prices.get().amount
    response = staff.post(change_page(workshop), sent_for(workshop, **{"prices-0-amount_minor": typed}))
    assert response.status_code == 200
    assert f'value="{typed}"' in response.content.decode()
    assert workshop.prices.get().amount == before


def test_an_early_bird_price_is_typed_in_the_same_way(staff):
    workshop = make_workshop()
    changes = {
        "prices-0-early_bird_amount_minor": "20,00",
        "prices-0-early_bird_until_0": "2027-01-01",
        "prices-0-early_bird_until_1": "12:00",
    }
    assert staff.post(change_page(workshop), sent_for(workshop, **changes)).status_code == 302
    assert workshop.prices.get().early_bird == Money(2000, "GBP")
