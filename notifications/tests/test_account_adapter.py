"""Signing up, verifying and resetting, following the links in the mails."""

import re
from pathlib import Path

import allauth
import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.applications import Application, apply_to_teach, approve_teacher, decline_teacher, suspend_teacher
from accounts.models import Teacher, User
from accounts.tests.factories import PASSWORD, TeacherFactory, UserFactory
from accounts.tests.signing_in import set_up_authenticator_app, sign_in, sign_in_with_code
from notifications.account_adapter import _NOTICES
from notifications.delivery import render
from notifications.models import Mail

pytestmark = pytest.mark.django_db
ADA = {"full_name": "Ada O'Hara", "email": "Ada@Example.org", "password1": PASSWORD}


def link_in(mail, settings):
    rendered = render(mail)
    found = re.search(rf"{re.escape(settings.BASE_URL)}(/\S+)", rendered.text)
    assert found, rendered.text
    assert found[1] in rendered.html
    return found[1]


def sign_up(client, **changes):
    return client.post(reverse("account_signup"), ADA | changes)


def test_signing_up_signs_in_at_once_and_asks_to_verify(client, settings):
    """A guest with a full cart must be able to pay now; the address can be verified later."""
    client.cookies["time_zone"] = "Asia/Tokyo"
    assert sign_up(client, next="/my/profile/")["Location"] == "/my/profile/"
    user = get_user(client)
    assert (user.email, user.full_name, user.time_zone) == ("ada@example.org", "Ada O'Hara", "Asia/Tokyo")
    mail = Mail.objects.get()
    assert (mail.to, mail.user, mail.template) == ("ada@example.org", user, "account/email/email_confirmation")
    # Another person may have typed this address, so it gets no text of theirs.
    assert "O'Hara" not in render(mail).text + render(mail).html + str(mail.context)
    page = link_in(mail, settings)
    assert not EmailAddress.objects.get(user=user).verified
    # Mail scanners follow links, so opening the page changes nothing; only its button does.
    assert client.get(page).status_code == 200
    assert not EmailAddress.objects.get(user=user).verified
    client.post(page)
    assert EmailAddress.objects.get(user=user).verified


@pytest.mark.parametrize("is_verified", [True, False])
def test_only_an_address_that_was_verified_is_greeted_by_name(client, is_verified):
    user = UserFactory(full_name="Ada Lovelace", is_verified=is_verified)
    client.post(reverse("account_reset_password"), {"email": user.email})
    rendered = render(Mail.objects.get(to=user.email))
    assert ("Hello Ada," in rendered.text and "Hello Ada," in rendered.html) == is_verified


@pytest.mark.parametrize(
    "change",
    [
        {"email": "not an address"},
        {"email": ""},
        {"email": "a@b"},
        {"email": "a\x00@example.org"},
        {"email": "a" * 300 + "@example.org"},
        {"password1": "short"},
        {"password1": "password123"},
        {"password1": "1234567890"},
        {"password1": "ada@example.org"},
        {"password1": ""},
        {"full_name": ""},
        {"full_name": "a\x00b"},
        {"full_name": "a" * 151},
    ],
)
def test_invalid_sign_ups_are_refused(client, change):
    assert sign_up(client, **change).status_code == 200
    assert not User.objects.exists()
    assert not Mail.objects.exists()


def test_staff_rights_cannot_be_posted_at_sign_up(client):
    sign_up(client, is_staff="1", is_superuser="1", groups="1")
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.groups.count()) == (False, False, 0)


def test_one_account_per_address_whatever_its_case(client):
    UserFactory(email="ada@example.org")
    assert sign_up(client, email="ADA@example.org").status_code == 200
    assert User.objects.count() == 1


def test_links_use_the_configured_address_whatever_the_host_header(settings):
    settings.ALLOWED_HOSTS = ["*"]
    sign_up(Client(HTTP_HOST="evil.example"))
    for email in ("ada@example.org", "nobody@example.org"):
        Client(HTTP_HOST="evil.example").post(reverse("account_reset_password"), {"email": email})
    assert Mail.objects.count() == 3
    for mail in Mail.objects.all():
        rendered = render(mail)
        assert "evil.example" not in rendered.text + rendered.html
        assert "evil.example" not in str(mail.context)


def test_a_password_is_reset_through_the_mail_and_older_sessions_end(client, settings):
    user = UserFactory()
    elsewhere = Client()
    elsewhere.force_login(user)
    client.post(reverse("account_reset_password"), {"email": user.email.upper()})
    page = client.get(link_in(Mail.objects.get(), settings))["Location"]
    client.post(page, {"password1": "an even better one", "password2": "an even better one"})
    assert not get_user(client).is_authenticated
    assert not get_user(elsewhere).is_authenticated
    sign_in(client, user, password="an even better one")
    assert get_user(client) == user
    assert Mail.objects.filter(template="account/email/security_notice", to=user.email).exists()


def test_a_reset_link_works_once_and_not_after_a_day(client, settings, time_machine):
    user = UserFactory()
    time_machine.move_to("2030-01-01 12:00")
    client.post(reverse("account_reset_password"), {"email": user.email})
    address = link_in(Mail.objects.get(), settings)
    page = client.get(address)["Location"]
    client.post(page, {"password1": "an even better one", "password2": "an even better one"})
    assert "used" in Client().get(address).content.decode()
    client.post(reverse("account_reset_password"), {"email": user.email})
    fresh = link_in(Mail.objects.filter(template="account/email/password_reset").latest("pk"), settings)
    time_machine.move_to("2030-01-02 12:00:02")
    assert Client().get(fresh).status_code == 200


def test_resetting_gives_the_same_answer_for_known_and_unknown_addresses(client):
    user = UserFactory()
    answers = [client.post(reverse("account_reset_password"), {"email": e}) for e in (user.email, "nobody@example.org")]
    assert {(a.status_code, a["Location"]) for a in answers} == {(302, reverse("account_reset_password_done"))}
    assert set(Mail.objects.values_list("to", "template")) == {
        (user.email, "account/email/password_reset"),
        ("nobody@example.org", "account/email/unknown_account"),
    }


def test_resetting_the_password_keeps_the_second_factor(client, settings):
    user = UserFactory()
    set_up_authenticator_app(user)
    client.post(reverse("account_reset_password"), {"email": user.email})
    page = client.get(link_in(Mail.objects.get(), settings))["Location"]
    client.post(page, {"password1": "an even better one", "password2": "an even better one"})
    assert not get_user(client).is_authenticated
    assert sign_in(client, user, password="an even better one")["Location"] == reverse("mfa_authenticate")


def test_resetting_the_password_lifts_the_limit_on_failed_sign_ins(client, settings):
    user = UserFactory()
    for number in range(5):
        sign_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), user, password="guess")
    client.post(reverse("account_reset_password"), {"email": user.email})
    page = client.get(link_in(Mail.objects.get(), settings))["Location"]
    client.post(page, {"password1": "an even better one", "password2": "an even better one"})
    sign_in(client, user, password="an even better one")
    assert get_user(client) == user


def test_a_flood_of_resets_is_stopped():
    user = UserFactory()
    for number in range(12):
        Client(REMOTE_ADDR=f"192.0.2.{number}").post(reverse("account_reset_password"), {"email": user.email})
    assert Mail.objects.count() <= 5
    cache.clear()


@pytest.mark.parametrize("key", ["0-abc", "zzzzzzzzzzzzzzzzzzzzzz-a-b", "1-set-password", "1-" + "a" * 5000])
def test_invalid_reset_links_are_refused(client, key):
    UserFactory()
    assert client.get(f"/accounts/password/reset/key/{key}/", follow=True).status_code in (200, 404)
    assert not get_user(client).is_authenticated


@pytest.mark.parametrize("key", ["a", "MQ:1:x", "x" * 5000])
def test_invalid_verification_links_are_refused(client, key):
    assert client.get(reverse("account_confirm_email", args=[key])).status_code in (200, 404)
    assert client.post(reverse("account_confirm_email", args=[key])).status_code in (200, 302, 404)


def test_a_new_address_replaces_the_old_one_only_once_verified(client, settings):
    sign_up(client)
    user = get_user(client)
    client.post(link_in(Mail.objects.get(), settings))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("account_email"), {"email": "new@example.org", "action_add": ""})
    user.refresh_from_db()
    assert user.email == "ada@example.org"
    mail = Mail.objects.get(to="new@example.org")
    client.post(link_in(mail, settings))
    user.refresh_from_db()
    assert user.email == "new@example.org"
    assert Mail.objects.filter(to="ada@example.org", template="account/email/security_notice").exists()


def test_adding_and_removing_a_second_factor_is_notified(client):
    user = UserFactory()
    set_up_authenticator_app(user)
    sign_in_with_code(client, user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("mfa_deactivate_totp"))
    mail = Mail.objects.get(template="account/email/security_notice")
    assert "authenticator app was removed" in render(mail).text


def test_every_mail_of_allauth_has_a_text():
    """An update of allauth that adds a mail must fail here instead of raising in a request."""
    folder = Path(allauth.__file__).parent / "templates"
    known = {
        p.relative_to(folder).as_posix().removesuffix("_subject.txt")
        for app in ("account", "mfa")
        for p in (folder / app / "email").glob("*_subject.txt")
    }
    by_code_only = {"account/email/login_code", "account/email/password_reset_code"}
    linked = {
        "account/email/email_confirmation", "account/email/email_confirmation_signup",
        "account/email/password_reset_key", "account/email/account_already_exists", "account/email/unknown_account",
    }  # fmt: skip
    assert known - by_code_only - linked == set(_NOTICES)


def test_applicants_and_teachers_get_a_mail_about_every_decision():
    boss, user = UserFactory(), UserFactory(full_name="Ada O'Hara")
    teacher = apply_to_teach(user=user, application=Application(display_name="Ada"))
    decline_teacher(teacher=teacher, by=boss, note="Tell us <more>.")
    apply_to_teach(user=user, application=Application(display_name="Ada"))
    approve_teacher(teacher=teacher, by=boss)
    suspend_teacher(teacher=teacher, by=boss, note="A complaint.")
    mails = list(Mail.objects.filter(user=user).order_by("pk"))
    assert [m.template.rpartition("_")[2] for m in mails] == ["applied", "declined", "applied", "approved", "suspended"]
    declined = render(mails[1])
    assert "Hello Ada," in declined.text
    assert "Tell us <more>." in declined.text
    assert "Tell us &lt;more&gt;." in declined.html
    assert "A complaint." in render(mails[4]).text
    assert all(render(m).subject for m in mails)


def test_a_decision_that_is_rolled_back_sends_no_mail():
    teacher = TeacherFactory(status=Teacher.Status.APPLIED)

    @transaction.atomic
    def approve_and_fail():
        approve_teacher(teacher=teacher, by=teacher.user)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        approve_and_fail()
    assert not Mail.objects.exists()


def test_a_verified_address_leads_back_to_the_waiting_cart(client, settings):
    sign_up(client)
    page = link_in(Mail.objects.get(), settings)
    assert client.post(page)["Location"] == reverse("payments:continue")
    assert client.get(reverse("payments:continue"))["Location"] == "/"


def test_a_person_who_verifies_elsewhere_signs_in_first(client, settings):
    sign_up(client)
    elsewhere = Client()
    location = elsewhere.post(link_in(Mail.objects.get(), settings))["Location"]
    assert location.startswith(reverse("account_login"))
    signed_in = elsewhere.post(location, {"login": ADA["email"], "password": PASSWORD})
    assert signed_in["Location"] == reverse("payments:continue")
