from ipaddress import ip_network

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth import get_user
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import code_now, set_up_authenticator_app, sign_in, sign_in_with_code

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff_need_mfa(settings):
    settings.STAFF_NEEDS_MFA = True


@pytest.fixture
def boss():
    return UserFactory(is_staff=True, is_superuser=True)


def admin_addresses():
    """Every address below the admin, with something in place of each variable part."""

    def walk(patterns, stem):
        for pattern in patterns:
            route = stem + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                yield "/" + pattern_to_path(route)

    top = next(p for p in get_resolver().url_patterns if isinstance(p, URLResolver) and str(p.pattern) == "admin/")
    return sorted(set(walk(top.url_patterns, "admin/")))


def pattern_to_path(route):
    import re

    return (
        re.sub(r"<[^>]*>|\(\?P<[^)]*\)", "1", route)
        .replace("^", "")
        .replace("$", "")
        .replace("\\Z", "")
        .replace("\\", "")
    )


def assert_everything_is_shut(client, leads_to, methods=("get",)):
    addresses = admin_addresses()
    assert len(addresses) > 50
    for address in addresses:
        for method in [getattr(client, name) for name in methods]:
            response = method(address)
            assert response.status_code == 302, (address, response.status_code)
            assert response["Location"].startswith(leads_to), (address, response["Location"])


def test_guests_are_sent_to_the_sites_own_sign_in(client):
    assert_everything_is_shut(client, reverse("account_login"))


def test_staff_without_a_second_factor_reach_no_address_of_the_admin(client, boss):
    sign_in(client, boss)
    assert get_user(client) == boss
    assert_everything_is_shut(client, reverse("mfa_index"), methods=("get", "post"))


def test_staff_whose_session_has_shown_no_second_factor_reach_no_address_of_the_admin(client, boss):
    """They signed in by password, then set the app up, or got a session in some other way."""
    sign_in(client, boss)
    set_up_authenticator_app(boss)
    assert_everything_is_shut(client, reverse("mfa_reauthenticate"))


def test_recovery_codes_alone_are_no_second_factor(client, boss):
    sign_in(client, boss)
    Authenticator.objects.create(user=boss, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "x", "used_mask": 0})
    assert client.get("/admin/")["Location"] == reverse("mfa_index")


def test_staff_who_signed_in_with_their_second_factor_get_in(client, boss):
    set_up_authenticator_app(boss)
    sign_in_with_code(client, boss)
    assert client.get("/admin/").status_code == 200


def test_staff_who_show_it_later_get_where_they_wanted(client, boss):
    sign_in(client, boss)
    set_up_authenticator_app(boss)
    asked = client.get("/admin/accounts/user/?q=ada")["Location"]
    response = client.post(asked, {"code": code_now()})
    assert response["Location"] == "/admin/accounts/user/?q=ada"
    assert client.get(response["Location"]).status_code == 200


def test_a_factor_that_was_removed_no_longer_counts(client, boss):
    set_up_authenticator_app(boss)
    sign_in_with_code(client, boss)
    Authenticator.objects.all().delete()
    assert client.get("/admin/")["Location"] == reverse("mfa_index")


def test_a_second_factor_used_by_another_person_does_not_count(client, boss):
    student = UserFactory()
    set_up_authenticator_app(student)
    sign_in_with_code(client, student)
    TOTP.activate(boss, "JBSWY3DPEHPK3PXP")
    client.force_login(boss)
    assert client.get("/admin/")["Location"].startswith(reverse("mfa_reauthenticate"))


def test_students_are_refused(client):
    user = UserFactory()
    set_up_authenticator_app(user)
    sign_in_with_code(client, user)
    assert client.get("/admin/").status_code == 403
    assert client.post("/admin/login/").status_code == 403


def test_the_admins_own_sign_in_form_takes_no_password(client, boss):
    response = client.post("/admin/login/", {"username": boss.email, "password": PASSWORD})
    assert response["Location"].startswith(reverse("account_login"))
    assert not get_user(client).is_authenticated


def test_signing_in_from_the_admin_leads_back_to_it(client, boss, settings):
    settings.STAFF_NEEDS_MFA = False
    asked = client.get("/admin/accounts/user/")["Location"]
    assert asked == f"{reverse('account_login')}?next=/admin/accounts/user/"
    assert client.post(asked, {"login": boss.email, "password": PASSWORD})["Location"] == "/admin/accounts/user/"


def test_former_staff_are_out_at_once(client, boss):
    set_up_authenticator_app(boss)
    sign_in_with_code(client, boss)
    boss.is_active = False
    boss.save()
    assert client.get("/admin/")["Location"].startswith(reverse("account_login"))


def test_addresses_that_look_like_the_admins_do_not_slip_through(boss):
    client = Client()
    sign_in(client, boss)
    for address in ("/admin", "/admin//", "/./admin/", "/admin/../admin/", "/%61dmin/", "/ADMIN/"):
        assert client.get(address).status_code in (301, 302, 404), address


# --- The networks from which the admin exists


@pytest.fixture
def office(settings):
    settings.ADMIN_NETWORKS = [ip_network("203.0.113.0/24"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7"])
def test_the_admin_exists_for_its_networks(client, boss, office, address):
    set_up_authenticator_app(boss)
    sign_in_with_code(client, boss)
    assert client.get("/admin/", REMOTE_ADDR=address).status_code == 200


@pytest.mark.parametrize("address", ["203.0.114.7", "2001:db9::7", "10.0.0.1", "", "not an address"])
def test_for_all_others_there_is_no_admin_even_with_a_second_factor(client, boss, office, address):
    set_up_authenticator_app(boss)
    sign_in_with_code(client, boss)
    for path in ("/admin/", "/admin/login/", "/admin/accounts/user/", "/admin/no/such/page/"):
        assert client.get(path, REMOTE_ADDR=address).status_code == 404, path
        assert client.post(path, REMOTE_ADDR=address).status_code == 404, path
    assert client.get("/accounts/login/", REMOTE_ADDR="10.0.0.1").status_code in (200, 302)


def test_a_forged_forwarding_header_does_not_open_the_admin(client, boss, office):
    set_up_authenticator_app(boss)
    sign_in_with_code(client, boss)
    answer = client.get("/admin/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.7")
    assert answer.status_code == 404


def test_behind_a_proxy_of_ours_its_part_of_the_header_counts(client, boss, office, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    set_up_authenticator_app(boss)
    sign_in_with_code(client, boss)
    outside = "203.0.113.7, 198.51.100.1"
    assert client.get("/admin/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=outside).status_code == 404
    inside = "198.51.100.1, 203.0.113.7"
    assert client.get("/admin/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=inside).status_code == 200
