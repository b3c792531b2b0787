import re
import threading

import pytest
from django.contrib.auth import get_user
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.templatetags.sentence_case import sentence_case
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import sign_in

pytestmark = pytest.mark.django_db

HOSTILE_TARGETS = [
    "//evil.example",
    "///evil.example",
    "////evil.example/path",
    "https://evil.example",
    "http://evil.example/my/profile/",
    "HTTPS://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\x00//evil.example",
    " //evil.example",
    "\x01https://evil.example",
    "https://127.0.0.1@evil.example",
    "https://127.0.0.1:8000@evil.example/",
    "https://evil.example\\@127.0.0.1",
    "//evil.example%2f..",
    "http://[::1",
    "ftp://127.0.0.1/",
]


@pytest.mark.parametrize("target", HOSTILE_TARGETS)
def test_sign_in_never_leads_to_another_site(client, target):
    user = UserFactory()
    response = client.post(
        reverse("account_login"), {"login": user.email, "password": PASSWORD, "next": target}, follow=False
    )
    assert response.status_code == 302
    assert response["Location"] == "/"


@pytest.mark.parametrize("target", HOSTILE_TARGETS)
def test_sign_up_and_sign_out_never_lead_to_another_site(client, target):
    form = {"full_name": "Ada", "email": "ada@example.org", "password1": PASSWORD, "next": target}
    assert client.post(reverse("account_signup"), form)["Location"] == "/"
    assert client.post(reverse("account_logout"), {"next": target})["Location"] == "/"


@pytest.mark.parametrize(
    "encoded", ["%2F%2Fevil.example", "%252F%252Fevil.example", "/%2Fevil.example", "/%5Cevil.example"]
)
def test_an_encoded_target_stays_a_path_of_this_site(client, encoded):
    """Browsers do not decode a path before they follow it, so these are odd addresses here, not another site's."""
    user = UserFactory()
    url = f"{reverse('account_login')}?next={encoded}"
    location = client.post(url, {"login": user.email, "password": PASSWORD})["Location"]
    assert not location.startswith(("//", "/\\", "http"))


def test_sign_in_leads_where_one_wanted_to_go(client):
    user = UserFactory()
    page = client.get(reverse("accounts:profile"))
    assert page["Location"] == "/accounts/login/?next=/my/profile/"
    response = client.post(page["Location"], {"login": user.email, "password": PASSWORD})
    assert response["Location"] == "/my/profile/"


def test_an_address_signs_in_however_it_is_written(client):
    UserFactory(email="Grace@Example.org")
    client.post(reverse("account_login"), {"login": "gRACE@example.ORG", "password": PASSWORD})
    assert get_user(client).email == "grace@example.org"


def test_unknown_address_and_wrong_password_get_the_same_answer(client):
    user = UserFactory()
    wrong = sign_in(client, user, password="not the password")
    unknown = client.post(reverse("account_login"), {"login": "nobody@example.org", "password": "not the password"})
    assert wrong.status_code == unknown.status_code == 200
    assert wrong.context["form"].errors == unknown.context["form"].errors


def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(client, monkeypatch):
    hashed = []
    monkeypatch.setattr(User, "set_password", lambda self, password: hashed.append(password))
    client.post(reverse("account_login"), {"login": "nobody@example.org", "password": "not the password"})
    assert hashed == ["not the password"]


@pytest.mark.parametrize("value", ["\x00", "a" * 100_000, "💥", "' OR 1=1 --", "{{7*7}}"])
def test_odd_input_is_refused_kindly(client, value):
    response = client.post(reverse("account_login"), {"login": value, "password": value})
    assert response.status_code == 200
    assert not get_user(client).is_authenticated


def test_signing_out_takes_a_post(client):
    client.force_login(UserFactory())
    client.get(reverse("account_logout"))
    assert get_user(client).is_authenticated
    client.post(reverse("account_logout"))
    assert not get_user(client).is_authenticated


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_logout", "account_reset_password"])
def test_a_post_without_csrf_token_is_refused(name):
    assert Client(enforce_csrf_checks=True).post(reverse(name)).status_code == 403


def test_stuffing_one_account_is_stopped_even_with_the_right_password_and_new_addresses(client):
    user = UserFactory()
    for number in range(5):
        sign_in(client, user, password=f"guess {number}", REMOTE_ADDR=f"192.0.2.{number}")
    response = sign_in(client, user, REMOTE_ADDR="192.0.2.200")
    assert "Too many failed login attempts" in str(response.context["form"].errors)
    assert not get_user(client).is_authenticated


def test_stuffing_many_accounts_from_one_address_is_stopped(client):
    users = UserFactory.create_batch(11)
    for user in users[:10]:
        sign_in(client, user, password="leaked elsewhere")
    response = sign_in(client, users[10])
    assert "Too many failed login attempts" in str(response.context["form"].errors)


def test_a_forged_forwarding_header_does_not_buy_more_attempts(client):
    users = UserFactory.create_batch(11)
    for number, user in enumerate(users[:10]):
        sign_in(client, user, password="leaked elsewhere", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    response = sign_in(client, users[10], HTTP_X_FORWARDED_FOR="198.51.100.99")
    assert "Too many failed login attempts" in str(response.context["form"].errors)


def test_a_flood_of_other_addresses_does_not_wash_the_limit_away(client):
    """The cache drops entries when it holds too many; Django's default of 300 would make limits forgettable."""
    user = UserFactory()
    for number in range(5):
        sign_in(client, user, password=f"guess {number}", REMOTE_ADDR=f"192.0.2.{number}")
    for number in range(350):
        cache.set(f"flood:{number}", 1, 3600)
    response = sign_in(client, user, REMOTE_ADDR="192.0.2.200")
    assert "Too many failed login attempts" in str(response.context["form"].errors)


@pytest.mark.django_db(transaction=True)
def test_guesses_made_at_the_same_moment_are_counted_one_by_one(monkeypatch):
    user = UserFactory()
    checked = []
    monkeypatch.setattr(User, "check_password", lambda self, password: checked.append(password))

    def guess(number):
        try:
            sign_in(Client(), user, password=f"guess {number}", REMOTE_ADDR=f"192.0.2.{number}")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(checked) <= 5
    cache.clear()


def test_sign_up_is_limited_per_address(client):
    for number in range(20):
        client.post(reverse("account_signup"), {"email": f"bot{number}@example.org"})
    assert client.post(reverse("account_signup"), {"email": "bot@example.org"}).status_code == 429


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/accounts/signup/", "Sign up"),
        ("/accounts/login/", "Sign in"),
        ("/accounts/password/reset/", "Password reset"),
    ],
)
def test_the_librarys_pages_write_headings_as_ours_do(client, path, heading):
    page = client.get(path).content.decode()
    assert f"<h1>{heading}</h1>" in page
    assert re.search(rf"<title>\s*{heading}", page)
    assert "Sign Up" not in page
    assert "Sign In" not in page


@pytest.mark.parametrize(
    ("text", "written"),
    [(" Enter Sign-In Code\n", "Enter sign-in code"), ("Set up TOTP App", "Set up TOTP app"), ("", "")],
)
def test_titles_become_sentences(text, written):
    assert sentence_case(text) == written
