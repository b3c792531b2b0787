"""What strangers type about participants: whose names are taken, and what is mailed to whom."""

import pytest
from django.urls import reverse

from accounts.tests.factories import TeacherFactory, UserFactory
from notifications.delivery import render
from notifications.models import Mail
from workshops.handler import WorkshopHandler
from workshops.models import Registration
from workshops.participants import InvalidParticipants, Participant, read_participants
from workshops.pasted_people import PastedPeopleField, read_line
from workshops.tests.factories import make_line, make_workshop

handler = WorkshopHandler()
pytestmark = pytest.mark.django_db


def texts_of(mail):
    rendered = render(mail)
    return rendered.subject + rendered.text + rendered.html


def test_a_ticket_to_an_address_that_no_one_verified_quotes_neither_buyer_nor_guest():
    workshop = make_workshop(teacher=TeacherFactory(display_name="Tess Tempo"))
    buyer = UserFactory(full_name="Prizewinner Collect")
    people = [{"name": "Congratulations Winner", "email": "ann@example.org"}]
    line = make_line(workshop, buyer=buyer, participants=people)
    handler.fulfil(line)
    handler.revoke(line, line.quantity, "Collect it at once")
    mails = list(Mail.objects.filter(to="ann@example.org"))
    assert {mail.template for mail in mails} == {"workshops/mail/ticket_issued", "workshops/mail/ticket_revoked"}
    for mail in mails:
        text = texts_of(mail)
        assert "Bread baking" in text
        assert not [word for word in ("Prizewinner", "Congratulations", "Collect") if word in text + str(mail.context)]


@pytest.mark.parametrize("is_verified", [True, False])
def test_buyers_read_names_of_guests_once_their_address_is_verified(is_verified):
    buyer = UserFactory(is_verified=is_verified, full_name="Ada Lovelace")
    handler.fulfil(make_line(make_workshop(), buyer=buyer, participants=[{"name": "Congratulations Winner"}]))
    text = texts_of(Mail.objects.get(to=buyer.email))
    assert ("Congratulations" in text) == ("Hello Ada," in text) == is_verified
    assert Registration.objects.get().code in text


@pytest.mark.parametrize(
    "name", ["علی\u200cرضا", "Anna\u00a0Maria", "O'Brien-Müller", "李小龍", "Nguyễn Thị Minh Khai"]
)
def test_participants_have_names_of_every_script(client, name):
    workshop = make_workshop()
    client.post(reverse("workshops:register", args=[workshop.slug]), {"quantity": "1", "place-1-name": name})
    assert read_participants({"participants": [{"name": name}]}, 1) == [Participant(name)]
    handler.fulfil(make_line(workshop, participants=[{"name": name}]))
    assert Registration.objects.get().participant_name == name


@pytest.mark.parametrize(
    "person",
    [
        {"name": "Visit evil.com"},
        {"name": "You won\nCollect"},
        {"name": "\u202enna"},
        {"name": "Ann", "email": "ann@example.org\u202c"},
        {"name": "Ann", "email": "änn@example.org"},
    ],
)
def test_participants_who_cannot_be_named_or_mailed_are_refused_on_both_paths(client, person):
    with pytest.raises(InvalidParticipants):
        read_participants({"participants": [person]}, 1)
    fields = {"quantity": "1"} | {f"place-1-{name}": value for name, value in person.items()}
    page = client.post(reverse("workshops:register", args=[make_workshop().slug]), fields)
    assert page.status_code == 400
    assert page.context["people"].forms[0].errors


def test_an_international_address_is_one_however_it_is_written():
    written = ["ann@müller.de", "ANN@xn--mller-kva.de"]
    read = read_participants({"participants": [{"name": "Ann", "email": email} for email in written]}, 2)
    assert {person.email for person in read} == {"ann@xn--mller-kva.de"}


def test_participants_are_listed_as_people_look_for_them(client):
    workshop = make_workshop()
    names = ["Zoë", "Özil", "Łukasz", "Ångström", "Adam", "olsen"]
    handler.fulfil(make_line(workshop, quantity=6, participants=[{"name": name} for name in names]))
    client.force_login(workshop.teacher.user)
    listed = client.get(reverse("workshops:participants", args=[workshop.slug])).context["participants"]
    assert [place.participant_name for place in listed] == ["Adam", "Ångström", "Łukasz", "olsen", "Özil", "Zoë"]


SCHOOL = [
    "Nguyễn Thị Minh Khai\tkhai@example.org",
    "O'Brien-Müller <obrien@müller.de>",
    "李小龍",
    "علی\u200cرضا; ali@example.org",
    "4. Ngũgĩ wa Thiong'o, NGUGI@example.org",
    "- Müller, Anna",
]


def paste(client, workshop, text, **fields):
    fields = {"quantity": "1", "list_of_people": text} | fields
    return client.post(reverse("workshops:register", args=[workshop.slug]), fields)


def test_sixty_participants_are_pasted_at_once(client):
    workshop = make_workshop(capacity=80)
    lines = [*SCHOOL, "", "   ", *(f"Pupil {number}, pupil{number}@example.org" for number in range(54))]
    client.force_login(buyer := UserFactory())
    assert paste(client, workshop, "\r\n".join(lines)).status_code == 302
    line = buyer.cart.lines.get()
    people = line.details["participants"]
    assert (line.quantity, len(people)) == (60, 60)
    assert people[:6] == [
        {"name": "Nguyễn Thị Minh Khai", "email": "khai@example.org"},
        {"name": "O'Brien-Müller", "email": "obrien@xn--mller-kva.de"},
        {"name": "李小龍", "email": ""},
        {"name": "علی\u200cرضا", "email": "ali@example.org"},
        {"name": "Ngũgĩ wa Thiong'o", "email": "ngugi@example.org"},
        {"name": "Müller, Anna", "email": ""},
    ]
    handler.fulfil(make_line(workshop, buyer=buyer, quantity=60, participants=people))
    client.force_login(workshop.teacher.user)
    page = client.get(reverse("workshops:participants", args=[workshop.slug])).content.decode()
    assert "60 of 80 places" in page
    assert "obrien@müller.de" in page


@pytest.mark.parametrize(
    ("line", "name", "email"),
    [
        ("Ada\tLovelace\tada@example.org", "Ada Lovelace", "ada@example.org"),
        ("Lovelace;Ada;ada@example.org", "Lovelace Ada", "ada@example.org"),
        ("17\tAda Lovelace", "Ada Lovelace", ""),
        ("(3) Ada", "Ada", ""),
        ("１．李小龍", "李小龍", ""),
        ("2、李小龍，lee@example.org", "李小龍", "lee@example.org"),
        ("علی\u200cرضا، ali@example.org", "علی\u200cرضا", "ali@example.org"),
        ('"Lovelace, Ada" <ada@example.org>', "Lovelace, Ada", "ada@example.org"),
        ("Ada – mailto:ada@example.org", "Ada", "ada@example.org"),
        ("Ada, ada@example.org, 7b", "Ada, 7b", "ada@example.org"),
        ("Ada (7b)", "Ada (7b)", ""),
        ("— Ada", "Ada", ""),
        ("7b Ada", "7b Ada", ""),
        ("1. ", "", ""),
    ],
)
def test_a_line_is_read_whatever_it_was_copied_from(line, name, email):
    assert read_line(line) == Participant(name, email)


@pytest.mark.parametrize("heading", ["Name;E-Mail", "First name\tLast name\tEmail", "#\tName", "Vorname, Nachname"])
def test_headings_of_a_table_are_no_people(heading):
    [ada] = PastedPeopleField().clean(f"{heading}\nAda")
    assert ada.name == "Ada"
    assert len(PastedPeopleField().clean("Name\nAda")) == 2


def test_pasted_people_can_be_looked_over_first_and_fill_the_empty_places(client):
    workshop = make_workshop()
    page = paste(client, workshop, "Ben\nCy", **{"quantity": "2", "place-1-name": "Ann", "fill": "1"})
    assert page.status_code == 200
    assert [form.initial.get("name") for form in page.context["people"].forms] == ["Ann", "Ben", "Cy"]
    assert 'name="quantity" value="3"' in page.content.decode()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Ann\nVisit evil.com", "Line 2, “Visit evil.com”"),
        ("Ann, ann@example", "Line 1"),
        ("\n".join(f"Pupil {number}" for number in range(101)), "You named 101 people"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_added(client, text, error):
    client.force_login(buyer := UserFactory())
    page = paste(client, make_workshop(), text)
    assert page.status_code == 400
    assert error in page.content.decode()
    assert not hasattr(buyer, "cart") or not buyer.cart.lines.exists()
