import pytest
from django.urls import reverse

from accounts.tests.factories import UserFactory
from demo.accounts import STUDENT
from notifications.models import Mail

pytestmark = pytest.mark.django_db


def make_mail(**fields):
    return Mail.objects.create(
        **{"key": f"test:{Mail.objects.count()}", "to": "a@example.org", "template": "x/mail/y", "subject": "Hello"}
        | fields
    )


def test_one_click_signs_in_as_a_demo_account(client):
    user = UserFactory(email=STUDENT.email)
    response = client.post(reverse("demo:sign_in"), {"email": STUDENT.email})
    assert response["Location"] == "/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_only_demo_accounts_can_be_signed_in_as(client):
    UserFactory(email="somebody@example.org")
    client.post(reverse("demo:sign_in"), {"email": "somebody@example.org"})
    assert "_auth_user_id" not in client.session


def test_signing_in_needs_a_post_and_follows_no_foreign_address(client):
    UserFactory(email=STUDENT.email)
    assert client.get(reverse("demo:sign_in")).status_code == 405
    response = client.post(reverse("demo:sign_in"), {"email": STUDENT.email, "next": "https://evil.example/"})
    assert response["Location"] == "/"


@pytest.mark.parametrize("email", ["", "\x00", "nobody@demo.example", "x" * 5000])
def test_an_unknown_account_gets_a_friendly_message(client, email):
    response = client.post(reverse("demo:sign_in"), {"email": email}, follow=True)
    assert response.status_code == 200
    assert "no such demo account" in response.content.decode()


def test_the_mailbox_lists_newest_first_with_a_constant_number_of_queries(client, django_assert_num_queries):
    make_mail(subject="First")
    with django_assert_num_queries(1):
        client.get(reverse("demo:mailbox"), {"refresh": "1"})
    for number in range(10):
        make_mail(subject=f"Later {number}")
    with django_assert_num_queries(1):
        page = client.get(reverse("demo:mailbox"), {"refresh": "1"}).content.decode()
    assert page.index("Later 9") < page.index("Later 0") < page.index("First")


def test_an_empty_mailbox_says_how_to_fill_it(client):
    assert "No mail yet" in client.get(reverse("demo:mailbox")).content.decode()


def test_a_mails_html_may_run_no_script_and_be_framed_by_us_alone(client):
    mail = make_mail(html_body="<p>Dear Sam</p><script>alert(1)</script>")
    response = client.get(reverse("demo:mail_html", args=[mail.pk]))
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "Dear Sam" in response.content.decode()


def test_a_mail_that_does_not_exist_is_not_found(client):
    assert client.get(reverse("demo:mail", args=[999999999999])).status_code == 404


def test_links_in_a_mails_text_can_be_followed(client):
    mail = make_mail(text_body="Choose: http://127.0.0.1:8000/my/lessons/ <b>")
    page = client.get(reverse("demo:mail", args=[mail.pk])).content.decode()
    assert 'href="http://127.0.0.1:8000/my/lessons/"' in page
    assert "&lt;b&gt;" in page


def test_attachments_are_named_and_can_be_opened(client):
    mail = make_mail(attachments=[{"name": "lesson.ics", "mime": "text/calendar", "text": "BEGIN:VCALENDAR"}])
    address = reverse("demo:mail_attachment", args=[mail.pk, 0])
    page = client.get(reverse("demo:mail", args=[mail.pk])).content.decode()
    assert f'href="{address}" download>lesson.ics</a>' in page
    file = client.get(address)
    assert file.content == b"BEGIN:VCALENDAR"
    assert file["Content-Disposition"] == 'attachment; filename="lesson.ics"'
    assert client.get(reverse("demo:mail_attachment", args=[mail.pk, 1])).status_code == 404
