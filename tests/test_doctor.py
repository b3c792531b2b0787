"""The doctor says what is wrong and what to do; the hourly check alerts once for each broken invariant, and clears it."""

import io

import pytest
from django.core.management import call_command
from django.utils import timezone

from jobs import heartbeats
from jobs.invariants import installed_invariants
from jobs.models import DurableWork
from notifications import invariant_alerts
from notifications.alerts import raise_alert
from notifications.models import Alert, Mail
from notifications.outbox import queue_mail
from notifications.tasks import check_invariants
from payments.models import OrderLine
from tests.market import open_market

pytestmark = pytest.mark.django_db
BROKEN = "payments.paid_lines_are_decided"


def doctor():
    """What it prints, and its exit code."""
    out = io.StringIO()
    try:
        call_command("doctor", stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


@pytest.fixture(autouse=True)
def healthy_background():
    for name in ("jobs.sweep", "notifications.check_invariants"):
        heartbeats.note(name=name, at=timezone.now())


def open_alerts():
    return set(Alert.objects.filter(cleared_at=None).values_list("key", flat=True))


def test_nothing_is_wrong_with_a_healthy_site():
    open_market()
    assert doctor() == ("Nothing is wrong.\n", 0)


def test_a_broken_invariant_is_named_with_its_rows_and_what_to_do():
    open_market()
    line = OrderLine.objects.filter(order__state="completed").first()
    OrderLine.objects.filter(pk=line.pk).update(state="reserved")
    report, code = doctor()
    assert code == 1
    assert BROKEN in report
    assert f"ids {line.pk}" in report
    assert "What to do:" in report


def test_parked_work_alerts_and_a_dead_beat_are_named():
    queue_mail(key="m", to="a@example.org", template="notifications/mail/alert", context={})
    Mail.objects.update(
        state=DurableWork.State.PARKED, last_error="Traceback\nSMTP refused", finished_at=timezone.now()
    )
    raise_alert(key="k", title="Something happened", detail={"order": "L1"})
    heartbeats.note(name="jobs.sweep", at=timezone.now() - timezone.timedelta(minutes=5))
    report, code = doctor()
    assert code == 1
    for text in ("1 parked: emails", "SMTP refused", "/admin/notifications/mail/", "Something happened", "order: L1"):
        assert text in report
    assert "Beat or all workers are down" in report


def test_the_hourly_check_alerts_once_and_clears_once_the_invariant_holds_again():
    open_market()
    OrderLine.objects.filter(order__state="completed").update(state="reserved")
    assert invariant_alerts.alert_broken_invariants() >= 1
    invariant_alerts.alert_broken_invariants()
    alert = Alert.objects.get(key=f"invariant:{BROKEN}")
    assert alert.occurrences == 2
    assert alert.detail["ids"]
    OrderLine.objects.filter(state="reserved").update(state="fulfilled")
    invariant_alerts.alert_broken_invariants()
    assert f"invariant:{BROKEN}" not in open_alerts()


def test_an_invariant_that_cannot_be_checked_stops_no_other(monkeypatch):
    class Faulty:
        name = "tests.faulty"
        promise = "It cannot be checked."

        def breaking(self):
            return list(OrderLine.objects.extra(where=["no_such_column = 1"]).values_list("pk", flat=True))

    open_market()
    OrderLine.objects.filter(order__state="completed").update(state="reserved")
    installed = installed_invariants()
    monkeypatch.setattr(invariant_alerts, "installed_invariants", lambda: [Faulty(), *installed])
    invariant_alerts.alert_broken_invariants()
    assert {"invariant:tests.faulty", f"invariant:{BROKEN}"} <= open_alerts()


def test_two_schedulers_check_once():
    heartbeats.note(name="notifications.check_invariants", at=timezone.now() - timezone.timedelta(hours=2))
    open_market()
    OrderLine.objects.filter(order__state="completed").update(state="reserved")
    check_invariants()
    check_invariants()
    assert Alert.objects.get(key=f"invariant:{BROKEN}").occurrences == 1
