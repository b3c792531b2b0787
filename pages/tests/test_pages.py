"""The site's own texts: shown to everyone, edited by staff, kept as they were accepted."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.tests.factories import UserFactory
from pages.kinds import PageKind
from pages.models import PageVersion
from pages.publishing import current_version, publish_version
from pages.wording import fill_in

pytestmark = pytest.mark.django_db


def staff():
    return UserFactory(is_staff=True, is_superuser=True)


def html(address):
    response = Client().get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("kind", PageKind)
def test_every_page_has_a_first_text_and_is_linked_from_the_footer(kind):
    assert kind.label in html(f"/{kind}/")
    assert f'href="/{kind}/"' in html("/")


def test_the_texts_name_who_sells_here(settings):
    settings.SELLER_NAME, settings.SELLER_ADDRESS = "Ada & Co.", "1 Quay Street, Leith"
    settings.SELLER_TAX_NUMBER, settings.CONTACT_EMAIL = "GB 123", "ada@example.org"
    about, contact = html("/about/"), html("/contact/")
    for fact in ("Ada &amp; Co.", "1 Quay Street, Leith", "GB 123"):
        assert fact in about
    assert "ada@example.org" in contact
    assert "{" not in about.partition("<main")[2].partition("</main>")[0]


def test_a_missing_fact_is_left_out(settings):
    settings.SELLER_NAME, settings.SELLER_ADDRESS, settings.SELLER_TAX_NUMBER = "Ada & Co.", "", ""
    about, terms = html("/about/"), html("/terms/")
    assert "Tax number" not in about
    assert "<p>Ada &amp; Co.</p>" in about
    assert "is run by Ada &amp; Co." in terms
    assert "–" not in about.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{seller}, {address}, is responsible.", "Ada, is responsible."),
        ("It is run by {seller}, {address}.", "It is run by Ada."),
        ("{seller}\n{address}\n\nTax number: {tax_number}\n\nMore", "Ada\n\n\nMore"),
        ("{address}", ""),
        ("{unknown} stays", "{unknown} stays"),
    ],
)
def test_what_has_no_value_leaves_no_trace(settings, text, wanted):
    settings.SELLER_NAME, settings.SELLER_ADDRESS, settings.SELLER_TAX_NUMBER = "Ada", "", ""
    assert fill_in(text) == wanted


def test_staff_publish_the_next_version_and_the_earlier_one_stays():
    client = Client()
    client.force_login(user := staff())
    form = client.get("/admin/pages/pageversion/add/?kind=terms").content.decode()
    assert "These terms apply" in form
    client.post("/admin/pages/pageversion/add/", {"kind": "terms", "text": "Be kind."})
    version = current_version(PageKind.TERMS)
    assert (version.number, version.text, version.published_by) == (2, "Be kind.", user)
    assert "Be kind." in html("/terms/")
    first = html("/terms/versions/1/")
    assert "no longer current" in first
    assert "These terms apply" in first


def test_the_same_text_again_is_no_new_version():
    user = staff()
    first = publish_version(kind=PageKind.HELP, text="Ask.", by=user)
    assert publish_version(kind=PageKind.HELP, text="Ask.", by=user) == first


def test_the_database_refuses_to_change_or_delete_a_version():
    for statement in ("UPDATE pages_pageversion SET text = 'x'", "DELETE FROM pages_pageversion"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_staff_cannot_change_or_delete_a_version_in_the_admin():
    client = Client()
    client.force_login(staff())
    version = current_version(PageKind.TERMS)
    client.post(f"/admin/pages/pageversion/{version.pk}/change/", {"kind": "terms", "text": "x"})
    client.post(f"/admin/pages/pageversion/{version.pk}/delete/", {"post": "yes"})
    assert current_version(PageKind.TERMS).text == version.text


@pytest.mark.parametrize(
    "address",
    ["/terms/versions/2/", "/terms/versions/0/", "/terms/versions/99999999999/", "/imprint/", "/terms/versions/x/"],
)
def test_other_pages_and_versions_do_not_exist(address):
    assert Client().get(address).status_code == 404


def test_a_script_in_a_text_is_not_run():
    publish_version(kind=PageKind.ABOUT, text="<script>alert(1)</script> Hello", by=staff())
    assert "<script>alert" not in html("/about/")


def test_a_page_without_a_text_does_not_exist():
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE pages_pageversion CASCADE")
    assert Client().get("/terms/").status_code == 404
    assert PageVersion.objects.count() == 0
