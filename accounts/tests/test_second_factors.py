import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth import get_user
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import SECRET, code_now, set_up_authenticator_app, sign_in, sign_in_with_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def protected(user):
    set_up_authenticator_app(user)
    return user


def test_an_authenticator_app_is_set_up_after_the_password_was_given_again(client, user):
    client.force_login(user)
    page = reverse("mfa_activate_totp")
    asked = client.get(page)
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    client.post(asked["Location"], {"password": PASSWORD})
    form = client.get(page).context["form"]
    assert client.post(page, {"code": code_now(secret=form.secret)}).status_code == 302
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    assert kinds == {Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES}


def test_a_second_factor_is_not_set_up_for_an_unverified_address(client):
    """Otherwise signing up with another person's address would lock its owner out for good."""
    user = UserFactory(is_verified=False)
    EmailAddress.objects.create(user=user, email=user.email, verified=False, primary=True)
    sign_in(client, user)
    assert client.get(reverse("mfa_activate_totp"))["Location"] == reverse("mfa_index")
    assert client.get(reverse("mfa_add_webauthn"))["Location"] == reverse("mfa_index")


def test_the_password_alone_does_not_sign_in(client, protected):
    response = sign_in(client, protected)
    assert response["Location"] == reverse("mfa_authenticate")
    assert not get_user(client).is_authenticated
    client.post(reverse("mfa_authenticate"), {"code": code_now()})
    assert get_user(client) == protected


def test_a_code_works_once(client, protected):
    # Taken once: thirty seconds may end between two browsers, and the next code is another one.
    code = code_now()
    for browser, signed_in in ((client, True), (Client(), False)):
        sign_in(browser, protected)
        browser.post(reverse("mfa_authenticate"), {"code": code})
        assert get_user(browser).is_authenticated is signed_in


def test_a_recovery_code_works_once(client, protected):
    code = RecoveryCodes.activate(protected).get_unused_codes()[0]
    for browser, signed_in in ((client, True), (Client(), False)):
        sign_in(browser, protected)
        browser.post(reverse("mfa_authenticate"), {"code": code})
        assert get_user(browser).is_authenticated is signed_in


@pytest.mark.parametrize("code", ["", "000000", "0", "abcdef", "\x00", "1" * 10_000, "-1", "１２３４５６"])
def test_wrong_codes_do_not_sign_in(client, protected, code):
    sign_in(client, protected)
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 200
    assert not get_user(client).is_authenticated


def test_guessing_codes_is_stopped_even_with_fresh_sessions_and_addresses(protected):
    for number in range(5):
        browser = Client(REMOTE_ADDR=f"192.0.2.{number}")
        sign_in(browser, protected)
        browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    browser = Client(REMOTE_ADDR="192.0.2.99")
    sign_in(browser, protected)
    response = browser.post(reverse("mfa_authenticate"), {"code": code_now()})
    assert response.status_code == 200
    assert not get_user(browser).is_authenticated


MADE_UP = [
    "",
    "{}",
    "[]",
    "null",
    "7",
    "not json",
    '{"id": 1}',
    "\x00",
    '{"rawId":"a","response":{}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"userHandle":"OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ","clientDataJSON":"e30"}}',
    "[" * 5000,
]


@pytest.mark.parametrize("credential", MADE_UP)
def test_a_made_up_passkey_is_not_added(client, user, credential):
    client.force_login(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert client.get(reverse("mfa_add_webauthn")).status_code == 200
    assert client.post(reverse("mfa_add_webauthn"), {"credential": credential}).status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("credential", MADE_UP)
def test_a_made_up_passkey_does_not_sign_in(client, protected, credential):
    sign_in(client, protected)
    assert client.post(reverse("mfa_authenticate"), {"credential": credential}).status_code == 200
    client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})
    assert client.post(reverse("mfa_login_webauthn"), {"credential": credential}).status_code < 500
    assert not get_user(client).is_authenticated


@pytest.mark.parametrize(
    "name",
    [
        "accounts:profile",
        "accounts:teacher_apply",
        "mfa_index",
        "account_email",
        "account_change_password",
        "mfa_view_recovery_codes",
    ],
)
def test_between_password_and_code_no_page_is_open(client, protected, name):
    sign_in(client, protected)
    assert client.get(reverse(name))["Location"].startswith(reverse("account_login"))


def test_another_address_cannot_be_added_to_get_around_the_second_factor(client, protected):
    """Resetting the password or adding an address must leave the second factor in place."""
    sign_in_with_code(client, protected)
    client.post(reverse("account_logout"))
    protected.set_password("somebody reset it 123")
    protected.save()
    response = sign_in(client, protected, password="somebody reset it 123")
    assert response["Location"] == reverse("mfa_authenticate")


def test_the_second_factor_is_taken_off_only_after_signing_in_again(client, protected):
    client.force_login(protected)
    response = client.post(reverse("mfa_deactivate_totp"))
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert Authenticator.objects.filter(user=protected).exists()


def test_the_authenticator_secret_is_the_one_of_the_tests(protected):
    assert Authenticator.objects.get(user=protected).data["secret"] == SECRET
