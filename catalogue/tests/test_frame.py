"""What all pages share: frame, error pages, content security policy, and addresses that cannot be forged."""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client

from accounts.tests.factories import UserFactory


@pytest.mark.django_db
def test_a_page_has_landmarks_a_skip_link_and_no_inline_script_or_style(client):
    page = client.get("/").content.decode()
    for part in ('class="skip-link" href="#content"', '<main id="content"', "<header", "<footer", 'role="status"'):
        assert part in page
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page)


@pytest.mark.django_db
def test_the_header_offers_sign_in_to_guests_and_their_pages_to_users(client):
    assert "/accounts/login/" in client.get("/").content.decode()
    client.force_login(UserFactory(full_name="Grace <b>"))
    page = client.get("/").content.decode()
    assert "/my/orders/" in page
    assert 'action="/accounts/logout/"' in page
    assert "Grace &lt;b&gt;" in page
    assert "Staff admin" not in page


@pytest.mark.django_db
def test_every_page_has_a_strict_content_security_policy(client, settings):
    policy = client.get("/")["Content-Security-Policy"]
    for directive in (
        "default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "img-src 'self' data:",
    ):  # fmt: skip
        assert directive in policy
    stripe = "https://checkout.stripe.com https://billing.stripe.com https://hooks.stripe.com"
    assert f"form-action 'self' {stripe} {settings.SANDBOX_URL}" in policy
    assert "unsafe" not in policy
    assert "Content-Security-Policy" in client.get("/nowhere/")


@pytest.mark.django_db
def test_only_the_admin_has_the_relaxed_policy_its_interface_needs(client):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    policy = client.get("/admin/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in client.get("/administrators/")["Content-Security-Policy"]


@pytest.mark.parametrize("number", ["400", "403", "404", "429", "500", "503"])
def test_error_pages_need_neither_request_nor_database(number):
    page = render_to_string(f"{number}.html")
    assert page.count("<h1") == 1
    assert number in page


@pytest.mark.django_db
def test_errors_are_shown_on_the_sites_own_pages(client):
    missing = client.get("/nowhere/")
    assert missing.status_code == 404
    assert "There is nothing here" in missing.content.decode()
    refused = Client(enforce_csrf_checks=True).post("/browse/currency/", {})
    assert refused.status_code == 403
    assert "Please try that again" in refused.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "a b", "[::1", "testserver@evil"]
)
def test_a_forged_host_is_refused(client, host):
    response = client.get("/", headers={"host": host})
    assert response.status_code == 400
    assert b"evil.example" not in response.content


@pytest.mark.django_db
def test_addresses_come_from_the_settings(client, settings):
    settings.BASE_URL = "https://learn.example"
    page = client.get("/browse/?q=1", headers={"x-forwarded-host": "evil.example"}).content.decode()
    assert '<link rel="canonical" href="https://learn.example/browse/">' in page
    assert "evil.example" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/browse/", "/teachers/nobody/"])
def test_read_only_pages_refuse_post(client, path):
    assert client.post(path).status_code == 405
