"""A stranger's link or header never decides where the site sends people or what it calls itself."""

from urllib.parse import urlsplit

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import code_now, set_up_authenticator_app, sign_in
from accounts.tests.test_sign_in import HOSTILE_TARGETS
from demo.accounts import ACCOUNTS
from notifications.delivery import render
from notifications.models import Mail
from payments import sessions
from payments.models import Payment
from payments.pricing import price_cart
from payments.stripe_api import StripeUnreachable
from payments.tests.card_factories import card_of
from tests.market import fill_cart, open_market, signed_in

pytestmark = pytest.mark.django_db


def stays_here(response):
    """Whether a redirect leads to a path of this site as browsers read it: to them a backslash is a slash."""
    location = response.headers["Location"]
    parts = urlsplit(location)
    return not parts.scheme and not parts.netloc and location.startswith("/") and location[1:2] not in ("/", "\\")


def with_a_password(user):
    client = Client()
    sign_in(client, user)
    return client


def signs_in(target):
    return Client().post(reverse("account_login"), {"login": UserFactory().email, "password": PASSWORD, "next": target})


def signs_in_from_a_link(target):
    user = UserFactory()
    query = {"next": target}
    return Client().post(
        reverse("account_login", query=query) if target else reverse("account_login"),
        {"login": user.email, "password": PASSWORD},
    )


def comes_back_though_signed_in(target):
    return signed_in(UserFactory()).get(reverse("account_login"), {"next": target})


def gives_the_password_again(target):
    return with_a_password(UserFactory()).post(
        reverse("account_reauthenticate"), {"password": PASSWORD, "next": target}
    )


def shows_the_second_factor(target):
    user = UserFactory()
    set_up_authenticator_app(user)
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD, "next": target})
    return client.post(reverse("mfa_authenticate"), {"code": code_now(), "next": target})


def shows_the_second_factor_again(target):
    user = UserFactory()
    client = with_a_password(user)
    set_up_authenticator_app(user)
    return client.post(reverse("mfa_reauthenticate"), {"code": code_now(), "next": target})


def signs_out(target):
    return signed_in(UserFactory()).post(reverse("account_logout"), {"next": target})


def chooses_a_currency(target):
    return Client().post(reverse("catalogue:currency"), {"currency": "EUR", "next": target})


def signs_in_to_the_demo(target):
    UserFactory(email=ACCOUNTS[0].email)
    return Client().post(reverse("demo:sign_in"), {"email": ACCOUNTS[0].email, "next": target})


def is_asked_to_sign_in(target):
    """A page for members builds the return path from its own address, whatever else the address contains."""
    return Client().get(reverse("accounts:profile"), {"next": target})


def pays_as_a_guest(target):
    return Client().post(f"{reverse('payments:checkout')}", {"next": target, "success_url": target})


WAYS = [
    signs_in,
    signs_in_from_a_link,
    comes_back_though_signed_in,
    gives_the_password_again,
    shows_the_second_factor,
    shows_the_second_factor_again,
    signs_out,
    chooses_a_currency,
    signs_in_to_the_demo,
    is_asked_to_sign_in,
    pays_as_a_guest,
]


@pytest.mark.parametrize("target", HOSTILE_TARGETS)
@pytest.mark.parametrize("way", WAYS)
def test_no_form_or_link_leads_to_another_site(way, target):
    response = way(target)
    assert response.status_code == 302
    assert stays_here(response), response.headers["Location"]


@pytest.mark.parametrize(
    "path", ["//evil.example/my/orders", "//evil.example/admin", "/\\evil.example/cart", "//evil.example"]
)
def test_a_slash_that_is_added_leads_nowhere_else(path):
    response = Client().get(path)
    assert response.status_code in (200, 404) or stays_here(response)


# --- The Host header

FORGED = {
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_SERVER": "evil.example",
    "HTTP_X_HOST": "evil.example",
    "HTTP_FORWARDED": "host=evil.example;proto=https",
    "HTTP_X_ORIGINAL_URL": "//evil.example/",
    "HTTP_X_FORWARDED_PORT": "1337",
}
BAD_HOSTS = [
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example:80",
    "a b",
    "[::1",
    "testserver@evil",
    "evil.example#testserver",
]


@pytest.mark.parametrize("host", BAD_HOSTS)
@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/"), ("get", "/cart/"), ("post", "/checkout/"), ("post", "/accounts/password/reset/"), ("get", "/admin/"),
     ("post", "/accounts/login/"), ("get", "/my/orders/")],
)  # fmt: skip
def test_a_host_that_is_not_ours_is_refused_before_anything_is_done(host, method, path):
    response = getattr(Client(HTTP_HOST=host), method)(path, {"email": UserFactory().email})
    assert response.status_code == 400
    assert b"evil.example" not in response.content
    assert not Mail.objects.exists()


def test_a_forwarded_host_changes_no_link_in_any_page_or_mail():
    market = open_market()
    student = signed_in(market.student, **FORGED)
    pages = ["/", "/browse/", "/cart/", "/my/orders/", f"/my/orders/{market.order.number}/", "/accounts/login/"]
    pages += [f"/workshops/{market.workshop.slug}/", f"/courses/{market.course.slug}/", "/accounts/password/reset/"]
    for page in pages:
        assert "evil.example" not in student.get(page).content.decode(), page
    Client(**FORGED).post(reverse("account_reset_password"), {"email": market.student.email})
    Client(**FORGED).post(
        reverse("account_signup"), {"full_name": "Ada", "email": "ada@example.org", "password1": PASSWORD}
    )
    mails = list(Mail.objects.all())
    assert {"account/email/password_reset", "account/email/email_confirmation"} <= {mail.template for mail in mails}
    for mail in mails:
        rendered = render(mail)
        assert "evil.example" not in f"{rendered.subject}{rendered.text}{rendered.html}{mail.context}"
        assert site_settings.BASE_URL in rendered.text, mail.template


def test_stripe_sends_people_back_to_our_own_address(monkeypatch):
    asked = []

    def refuse(session_request, **_options):
        asked.append(session_request)
        raise StripeUnreachable("not today")

    monkeypatch.setattr(sessions.gateway, "create_session", refuse)
    market = open_market()
    card_of(market.other_student)
    student = signed_in(market.other_student, **FORGED)
    fill_cart(student, market)
    student.post(
        "/checkout/",
        {
            "agreed": price_cart(market.other_student.cart).digest,
            "success_url": "https://evil.example/",
            "next": "//evil.example",
        },
    )
    assert Payment.objects.filter(order__user=market.other_student).count() == 1
    [session] = asked
    assert session["success_url"].startswith(f"{site_settings.BASE_URL}/checkout/return/?")
    assert session["cancel_url"].startswith(f"{site_settings.BASE_URL}/cart/?")
