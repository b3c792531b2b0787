import unicodedata

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.names import NameField, clean_name, first_name, initials, sorting_key
from accounts.tests.factories import PASSWORD, UserFactory

REAL_NAMES = [
    "Nguyễn Thị Minh Khai",
    "O'Brien-Müller",
    "李小龍",
    "علی\u200cرضا",
    "क्\u200dष",
    "Ngũgĩ wa Thiong'o",
    "Anna\u00a0Maria",
    "山田\u3000太郎",
    "J. R. R. Tolkien",
    "J.Rowling",
    "X Æ A-12",
    "ʻIolani",
    "Ṣẹ́gun Adébáyọ̀",
    "רָחֵל",
    "ཀརྨ་རང་བྱུང་",
    "𱍐田",  # the first letter is in Unicode since 2020, and in many databases is not
    "\U000323af太郎",
]
ADVERTISEMENTS = [
    "You won\nCollect: https://evil.example",
    "You won\r\nBcc: a@example.org",
    "Ada\u2028Lovelace",
    "Visit evil.com",
    "Visit EVIL.COM",
    "Visit Evil.Com",
    "www.evil",
    "bit.ly/x",
    "пример.рф",
    "evil\u3002com",
    "evil\u2024com",
    "ｅvil．com",
    "pay@evil",
    "Call 020 7946 0958",
    "http:evil",
    "Win.A.Prize.Xyz",
    "Get.Free.Com",
    "Call ①②③④⑤⑥⑦",
]
NOT_SHOWN = ["Ada\x00", "Ada\x1b[31m", "\u202eadA", "Ada \u2066x", "Ada\u200bLovelace", "a\ue000", "a\U000e0041"]
NOT_SHOWN += ["Ada\u3164", "\u115f\u1160", "A\u034fda", "A\u2065da", "Ada\ufffe", "Zalgo" + "\u0337" * 9]


@pytest.mark.parametrize("name", REAL_NAMES)
def test_names_of_every_script_are_kept(name):
    assert clean_name(f" {name}\ufeff ") == name
    assert NameField().clean(name) == name


def test_a_decomposed_name_is_stored_composed():
    assert clean_name("U\u0308bung") == "Übung"


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Ada\tLovelace", "Ada Lovelace"), ("Ada \t  Lovelace", "Ada Lovelace"), ("Ada  King", "Ada King")],
)
def test_space_between_columns_is_one_space(typed, name):
    assert clean_name(typed) == name


@pytest.mark.parametrize("name", [*ADVERTISEMENTS, *NOT_SHOWN, "-", "...", "\u200d", "a" * 151])
def test_advertisements_and_what_cannot_be_shown_are_no_names(name):
    with pytest.raises(ValidationError):
        clean_name(name)


@given(st.text(max_size=160))
def test_a_name_is_one_clean_line_or_refused(text):
    try:
        name = clean_name(text)
    except ValidationError:
        return
    assert len(name.splitlines()) <= 1
    assert clean_name(name) == name
    assert unicodedata.is_normalized("NFC", name)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*ADVERTISEMENTS, *NOT_SHOWN])
def test_no_form_takes_them(client, admin_client, name):
    form = {"full_name": name, "email": "ada@example.org", "password1": PASSWORD}
    assert client.post(reverse("account_signup"), form).status_code == 200
    person = UserFactory(full_name="Ada")
    client.force_login(person)
    profile = {"full_name": name, "time_zone": "Europe/London", "language": "en-gb"}
    assert client.post(reverse("accounts:profile"), profile).status_code == 422
    application = {"display_name": name, "biography": "Piano", "languages": "English", "regions": "France"}
    assert client.post(reverse("accounts:teacher_apply"), application).status_code == 422
    admin_client.post(reverse("admin:accounts_user_add"), {"email": "new@example.org", "full_name": name})
    assert set(User.objects.exclude(is_superuser=True).values_list("full_name", flat=True)) == {"Ada"}


@pytest.mark.parametrize(
    ("full_name", "first"),
    [
        ("Ada Lovelace", "Ada"),
        ("Ngũgĩ wa Thiong'o", "Ngũgĩ"),
        ("Madonna", "Madonna"),
        ("", ""),
        ("Dr. Ada Lovelace", "Dr. Ada Lovelace"),
        ("J Rowling", "J Rowling"),
        ("Nguyễn Thị Minh Khai", "Nguyễn Thị Minh Khai"),
        ("李 小龍", "李 小龍"),
        ("Dr Ada Lovelace", "Dr Ada Lovelace"),
        ("Frau Weiß", "Frau Weiß"),
        ("van Dyke Anna", "van Dyke Anna"),
        ("ada lovelace", "ada"),
        ("Nguyễn Văn An", "Nguyễn Văn An"),
    ],
)
def test_greetings_use_the_first_name_where_the_name_tells_it(full_name, first):
    assert first_name(full_name) == first


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada King Lovelace", "AL"),
        ("élodie", "É"),
        ("李小龍", "李"),
        ("علی رضا", "ع"),
        ("(Ada) “Bee” Lovelace", "AL"),
        ("ʻIolani ʻŌpūnui", "IŌ"),
        ("", ""),
    ],
)
def test_initials_suit_the_script(name, letters):
    assert initials(name) == letters


def test_names_are_sorted_as_people_look_for_them():
    names = ["Zoë", "Özil", "olsen", "Łukasz", "Lovelace", "Ångström", "Adam", "O'Brien"]
    assert sorted(names, key=sorting_key) == [
        "Adam",
        "Ångström",
        "Lovelace",
        "Łukasz",
        "O'Brien",
        "olsen",
        "Özil",
        "Zoë",
    ]
