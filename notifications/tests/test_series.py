"""However often something changes, a person gets few mails about it, and the last one has the final state."""

from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.factories import UserFactory
from jobs.runner import drain
from notifications.models import Mail
from notifications.outbox import mails_gathered, queue_mail
from notifications.series import APART, QUIET, UNDELAYED_PER_DAY

pytestmark = pytest.mark.django_db
_numbers = iter(range(1_000_000))


def queue_to(*people, title, series="workshop:7:moved"):
    with mails_gathered():
        for to in people:
            queue_mail(
                series=series,
                key=f"change:{next(_numbers)}",
                to=to,
                template="notifications/mail/alert",
                context={"title": title, "details": [], "alert_path": "/"},
            )


def waiting():
    return [(mail.to, mail.context["title"]) for mail in Mail.objects.filter(state="waiting").order_by("to", "pk")]


def minutes_to_wait(mail):
    return round((mail.run_after - timezone.now()).total_seconds() / 60)


def pass_time(by):
    """Make every mail older by this time, and send those that are due."""
    Mail.objects.update(created_at=F("created_at") - by, run_after=F("run_after") - by, sent_at=F("sent_at") - by)
    drain(Mail, seconds=5)


def test_the_latest_mail_replaces_a_waiting_one():
    user = UserFactory(email="anna@example.org")
    for number in range(30):
        queue_to(user, "ben@example.org", title=f"Room {number}")
    assert waiting() == [("anna@example.org", "Room 29"), ("ben@example.org", "Room 29")]
    pass_time(QUIET)
    assert [message.subject for message in outbox.outbox] == ["[Lectern] Room 29"] * 2


def test_no_mail_is_sent_before_the_quiet_time_is_over():
    queue_to("ben@example.org", title="York")
    drain(Mail, seconds=5)
    assert outbox.outbox == []
    assert minutes_to_wait(Mail.objects.get()) == 2


def test_further_changes_do_not_delay_the_mail():
    queue_to("ben@example.org", title="York")
    pass_time(timedelta(minutes=1))
    queue_to("ben@example.org", title="Leeds")
    assert minutes_to_wait(Mail.objects.get()) == 1


def test_a_whole_day_of_changes_sends_few_mails_and_the_final_state():
    for minute in range(24 * 60 // 5):
        queue_to("ben@example.org", title=f"Room {minute}")
        pass_time(timedelta(minutes=5))
    assert len(outbox.outbox) <= UNDELAYED_PER_DAY + 24
    pass_time(APART)
    assert waiting() == []
    assert outbox.outbox[-1].subject == f"[Lectern] Room {minute}"


def test_the_fourth_mail_of_a_day_waits_an_hour_but_the_first_of_the_next_day_does_not():
    for number in range(UNDELAYED_PER_DAY):
        queue_to("ben@example.org", title=f"Room {number}")
        pass_time(QUIET)
    assert len(outbox.outbox) == UNDELAYED_PER_DAY
    queue_to("ben@example.org", title="Room 4")
    assert 50 <= minutes_to_wait(Mail.objects.get(state="waiting")) <= 61
    Mail.objects.filter(state="waiting").delete()
    pass_time(timedelta(days=1))
    queue_to("ben@example.org", title="Room 5")
    assert minutes_to_wait(Mail.objects.get(state="waiting")) == 2


def test_a_mail_that_may_have_arrived_is_not_deleted():
    queue_to("ben@example.org", title="York")
    Mail.objects.update(state="running", attempts=1, run_after=Now() + timedelta(minutes=1))
    queue_to("ben@example.org", title="Leeds")
    assert Mail.objects.count() == 2
    Mail.objects.filter(state="running").update(state="waiting")
    queue_to("ben@example.org", title="Bath")
    assert [title for _, title in waiting()] == ["York", "Bath"]


def test_series_do_not_affect_each_other_or_other_mails():
    queue_to("ben@example.org", title="One")
    queue_to("ben@example.org", title="Two", series="workshop:8:moved")
    for _ in range(2):
        queue_to("ben@example.org", title="Three", series="")
    assert [title for _, title in waiting()] == ["One", "Two", "Three", "Three"]


def test_mails_to_many_people_take_as_many_statements_as_to_two():
    counts = set()
    for many in (2, 50):
        people = [f"p{number}@example.org" for number in range(many)]
        queue_to(*people, title="York")
        with CaptureQueriesContext(connection) as queries:
            queue_to(*people, title="Leeds")
        counts.add(len(queries))
    assert len(counts) == 1
