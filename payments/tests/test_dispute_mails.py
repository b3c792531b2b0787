"""Who hears of a dispute: students, teachers and staff."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.runner import drain
from notifications.models import Alert, Mail
from payments.disputes.reminding import remind_of_disputes
from payments.models import Dispute
from payments.tests.disputing import Case
from payments.tests.factories import paid_order
from payments.tests.test_disputes import sold_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]


def test_staff_are_alerted_with_the_due_date_until_it_is_answered():
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    alert = Alert.objects.get(key__startswith="dispute-to-answer")
    assert "9 November 2026" in alert.title
    assert alert.detail["page"] == Dispute.objects.get().get_admin_url()
    case.report("under_review")
    alert.refresh_from_db()
    assert alert.cleared_at
    case.lose()
    assert "lost" in Alert.objects.get(key__startswith="dispute-lost").title


def test_staff_are_reminded_once_of_what_is_due_soon_until_it_is_answered():
    soon = Case(paid_order(10000), due_by=timezone.now() + timedelta(hours=47))
    for case in (soon, Case(paid_order(10000), due_by=timezone.now() + timedelta(days=3)), Case(paid_order(10000))):
        case.open()
    assert (remind_of_disputes(), remind_of_disputes()) == (1, 1)
    [reminder] = Alert.objects.filter(key__startswith="dispute-due-soon")
    assert soon.payment.order.number in reminder.detail["order"]
    soon.report("under_review")
    reminder.refresh_from_db()
    assert (bool(reminder.cleared_at), remind_of_disputes()) == (True, 0)


@pytest.mark.parametrize(
    ("ending", "mails"), [("win", ["dispute_held", "dispute_won"]), ("lose", ["dispute_held", "dispute_lost"])]
)
def test_teachers_hear_what_becomes_of_their_money(ending, mails):
    payment, teachers = sold_by(6000, 4000)
    case = Case(payment)
    case.open()
    getattr(case, ending)()
    case.report("won" if ending == "win" else "lost")
    for teacher, share in zip(teachers, ("£54.00", "£36.00"), strict=True):
        sent = Mail.objects.filter(user=teacher.user, template__contains="dispute_").order_by("pk")
        assert [mail.template.rpartition("/")[2] for mail in sent] == mails
        assert sent[0].context["share"] == share
    drain(Mail, seconds=20)
    held_mail = Mail.objects.get(template="payments/mail/dispute_held", user=teachers[0].user)
    assert held_mail.sent_at
    assert "£54.00" in held_mail.text_body


def test_what_a_lost_line_delivered_is_revoked_and_what_is_left_stays():
    payment, _ = sold_by(6000, 4000)
    case = Case(payment, 5000)
    case.open()
    case.lose()
    assert set(payment.order.lines.values_list("state", flat=True)) == {"fulfilled"}
    second = Case(payment, 5000)
    second.open()
    assert set(payment.order.lines.values_list("state", flat=True)) == {"fulfilled"}
    second.lose()
    assert set(payment.order.lines.values_list("state", flat=True)) == {"revoked"}
