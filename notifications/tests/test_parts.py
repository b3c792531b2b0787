"""What is bought together is confirmed by one mail."""

import pytest
from django.db import transaction

from accounts.tests.factories import UserFactory
from notifications.attachments import Attachment
from notifications.delivery import render
from notifications.models import Mail
from notifications.outbox import mails_gathered, queue_mail

pytestmark = pytest.mark.django_db
WHOLE = "order:L1:paid"
ORDER = {"order_number": "L1", "order_path": "/o/", "total": "£45.00", "lines": []}


def queue_part(person, number, part_of=WHOLE):
    queue_mail(
        key=f"course:{number}",
        to=person,
        template="courses/mail/enrolled",
        context={"course": f"Course <{number}>", "teacher": "Tess", "path": f"/my/{number}/"},
        attachments=[Attachment(f"{number}.ics", "text/calendar", "BEGIN")],
        part_of=part_of,
    )


def queue_whole(person):
    queue_mail(key=WHOLE, to=person, template="payments/mail/payment_confirmed", context=ORDER)


def test_mails_queued_with_the_one_they_belong_to_are_sent_as_one():
    person = UserFactory(full_name="Ada Lovelace")
    with transaction.atomic(), mails_gathered():
        queue_part(person, 1)
        with mails_gathered():
            queue_part(person, 2)
        queue_whole(person)
    mail = Mail.objects.get()
    rendered = render(mail)
    assert rendered.text.count("Hello Ada,") == rendered.html.count("Hello Ada,") == 1
    for number in (1, 2):
        assert f"“Course <{number}>”" in rendered.text
        assert f"Course &lt;{number}&gt;" in rendered.html
        assert f"/my/{number}/" in rendered.text
    assert [attachment["name"] for attachment in mail.attachments] == ["1.ics", "2.ics"]


def test_a_repeated_delivery_sends_nothing_again():
    person = UserFactory()
    with mails_gathered():
        queue_part(person, 1)
        queue_whole(person)
    queue_part(person, 1)
    with mails_gathered():
        queue_part(person, 1)
        queue_whole(person)
    assert Mail.objects.count() == 1


def test_a_part_is_sent_by_itself_if_the_other_is_not_queued_or_goes_to_another_person():
    person, other = UserFactory(), UserFactory()
    queue_part(person, 1)
    with mails_gathered():
        queue_part(other, 2)
        queue_whole(person)
    queue_part(person, 3)
    assert set(Mail.objects.values_list("key", flat=True)) == {"course:1", "course:2", "course:3", WHOLE}
    assert "parts" not in Mail.objects.get(key=WHOLE).context
    assert "Course <3>" in render(Mail.objects.get(key="course:3")).text
