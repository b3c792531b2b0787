"""Staff get one mail while a problem lasts."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import User
from accounts.tests.factories import UserFactory
from notifications import alerts
from notifications.alerts import clear_alert, raise_alert
from notifications.delivery import render
from notifications.models import Alert, Mail

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff_addresses(settings):
    settings.STAFF_ALERT_EMAILS = ["a@staff.example", "b@staff.example"]


def test_opening_an_alert_mails_all_staff_once_and_later_occurrences_are_counted():
    for _ in range(4):
        raise_alert(key="k", title="Trouble", detail={"order": "L-1"})
    alert = Alert.objects.get()
    assert (alert.occurrences, alert.title, alert.detail) == (4, "Trouble", {"order": "L-1"})
    assert sorted(Mail.objects.values_list("to", flat=True)) == ["a@staff.example", "b@staff.example"]


def test_the_next_occurrence_after_clearing_mails_staff_again():
    raise_alert(key="k", title="Trouble")
    assert clear_alert(key="k")
    assert not clear_alert(key="k")
    raise_alert(key="k", title="Trouble")
    assert Alert.objects.filter(cleared_at__isnull=True).count() == 1
    assert Mail.objects.count() == 4


def test_without_addresses_active_superusers_get_the_mail(settings):
    settings.STAFF_ALERT_EMAILS = []
    User.objects.create_superuser("boss@staff.example")
    User.objects.create_superuser("gone@staff.example", is_active=False)
    UserFactory(email="student@mail.example")
    raise_alert(key="k", title="Trouble")
    assert list(Mail.objects.values_list("to", flat=True)) == ["boss@staff.example"]


@pytest.mark.parametrize(
    "detail",
    [
        {"at": datetime(2026, 1, 1, tzinfo=UTC), "amount": Decimal("1.10"), "error": ValueError("x"), "who": {1, 2}},
        {"text": "NUL \x00 here", "path": "C:\\u0000", 7: "number"},
        {"deep": {"deeper": ["\x00", object()]}},
    ],
)
def test_any_detail_is_recorded(detail):
    raise_alert(key="k", title="Trouble", detail=detail)
    assert set(Alert.objects.get().detail) == {str(name) for name in detail}


def test_long_keys_and_titles_are_cut_and_still_cleared():
    raise_alert(key="k" * 500, title="t" * 500)
    assert clear_alert(key="k" * 500)


def test_an_alert_that_cannot_be_recorded_does_not_affect_the_caller(monkeypatch):
    def fail(alert):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    monkeypatch.setattr(alerts, "_mail_staff", fail)
    with transaction.atomic():
        raise_alert(key="k", title="Trouble")
        UserFactory(email="afterwards@mail.example")
    assert User.objects.filter(email="afterwards@mail.example").exists()
    assert not Alert.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_simultaneous_occurrences_open_one_alert_and_mail_staff_once(monkeypatch):
    barrier = threading.Barrier(8)
    unrecorded = []
    monkeypatch.setattr(alerts.log, "exception", lambda *args, **words: unrecorded.append(words), raising=False)

    def one():
        try:
            barrier.wait(5)
            raise_alert(key="k", title="Trouble")
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert 1 <= Alert.objects.get().occurrences <= 8
    assert Mail.objects.count() == 2
    assert unrecorded == []


@pytest.mark.django_db(transaction=True)
def test_counting_does_not_wait_for_another_open_transaction():
    raise_alert(key="k", title="Trouble")
    with transaction.atomic():
        raise_alert(key="k", title="Trouble")
        finished = threading.Event()

        def other():
            try:
                raise_alert(key="k", title="Trouble")
                finished.set()
            finally:
                connection.close()

        thread = threading.Thread(target=other)
        thread.start()
        assert finished.wait(5)
        thread.join(5)


def test_a_flood_of_alerts_makes_many_rows_but_few_mails(settings):
    settings.STAFF_ALERT_EMAILS = ["staff@example.org", "boss@example.org"]
    for number in range(200):
        raise_alert(key=f"trouble:{number}", title=f"Trouble {number}")
    assert Alert.objects.filter(cleared_at=None).count() == 200
    templates = Counter(Mail.objects.filter(to="staff@example.org").values_list("template", flat=True))
    assert templates == {"notifications/mail/alert": 20, "notifications/mail/alerts_gathered": 1}
    assert Mail.objects.filter(to="boss@example.org").count() == 21
    words = render(Mail.objects.filter(template="notifications/mail/alerts_gathered").first())
    assert "/admin/notifications/alert/" in words.text


def test_alerts_get_separate_mails_again_after_a_flood(settings):
    settings.STAFF_ALERT_EMAILS = ["staff@example.org"]
    for number in range(30):
        raise_alert(key=f"trouble:{number}", title="Trouble")
    Alert.objects.update(opened_at=Now() - timedelta(hours=2))
    raise_alert(key="another", title="Another")
    assert Mail.objects.filter(context__title="Another").count() == 1
