"""What is owed to a student whose payment is disputed: refunded by itself once the dispute is won, and only then."""

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.tests.factories import UserFactory
from jobs.invariants import broken
from jobs.runner import drain
from ledger.entries import AccountKind
from money import Money
from notifications.models import Alert, Mail
from payments.cancellations.lines import cancel_for_student, cancel_for_teacher, offer_cancellation
from payments.cancellations.sales import cancel_all_sold, progress_of
from payments.invariants import INVARIANTS
from payments.models import LineCancellation, OrderLine, Payment, Refund, RefundAfterDispute
from payments.refunds.plan import LinePart, OfLines, OverAllLines
from payments.refunds.recording import record_refusal
from payments.settlement import settle_payment
from payments.tests.disputing import Case, book, held, in_dispute, moved, of_platform, of_teacher
from payments.tests.factories import evidence_for, open_order, paid_order, refunded, sample_offer
from payments.tests.races import at_once
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_disputes import confirmed, teacher_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]


def pounds(minor):
    return Money(minor, "GBP")


def only_line(payment):
    return OrderLine.objects.select_related("order").get(order=payment.order_id)


def cancelled_by_teacher(payment):
    """All that was sold of the item, as a workshop is cancelled; returns the cancellation."""
    line = only_line(payment)
    cancellation = cancel_all_sold(
        domain=line.domain,
        reference=line.reference,
        title=line.title,
        teacher_id=line.teacher_id,
        reason="Ill",
        requested_by_id=line.teacher.user_id,
    )
    drain(LineCancellation, seconds=10)
    return cancellation


def cancelled_by_student(payment, key="1"):
    line = only_line(payment)
    digest = offer_cancellation(line=line, keys=[key], at=timezone.now()).digest
    return cancel_for_student(line_id=line.pk, keys=[key], digest=digest).refund


def undeliverable(minor=10000):
    reference = sample_offer(pounds(minor))
    SAMPLE.undeliverable.add(reference)
    payment = open_order(reference)
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    return payment


def live(payment):
    """The live refunds of a payment: reason, amount in minor units and places."""
    refunds = Refund.objects.live().filter(payment=payment).order_by("pk")
    return [
        (refund.reason, refund.amount_minor, sum(part.quantity for part in refund.allocations.all()))
        for refund in refunds
    ]


def mails_after_dispute(payment):
    sent = Mail.objects.filter(user=payment.order.user, template="payments/mail/refund_after_dispute").order_by("pk")
    return [mail.context["amount"] for mail in sent]


# --- The teacher cancels ----------------------------------------------------------------------------------------------


def test_what_the_teacher_cancelled_while_it_was_disputed_is_refunded_once_the_dispute_is_won():
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    cancellation = cancelled_by_teacher(payment)
    assert (live(payment), only_line(payment).state) == ([], "revoked")
    case.win()
    assert live(payment) == [("teacher_cancelled", 10000, 1)]
    assert mails_after_dispute(payment) == ["£100.00"]
    confirmed(Refund.objects.get())
    teacher = teacher_of(payment)
    assert (of_teacher(teacher), held(teacher), of_platform(), in_dispute()) == (0, 0, -1500, 0)
    assert (progress_of(cancellation).confirmed, only_line(payment).refunded_minor) == (1, 10000)
    # Repeats change nothing.
    case.report("won")
    assert (len(live(payment)), len(mails_after_dispute(payment))) == (1, 1)


def test_what_the_teacher_cancelled_before_the_dispute_is_refunded_again_once_it_is_won():
    payment = paid_order(10000)
    cancelled_by_teacher(payment)
    refund = confirmed(Refund.objects.get(), "pending")
    case = Case(payment)
    case.open()
    confirmed(refund, "failed")
    assert live(payment) == []
    # Staff can do nothing about it before the bank has decided.
    assert not Alert.objects.filter(key__startswith="refund-failed").exists()
    case.win()
    assert live(payment) == [("teacher_cancelled", 10000, 1)]
    confirmed(Refund.objects.live().get())
    assert (of_teacher(teacher_of(payment)), of_platform()) == (0, -1500)


@pytest.mark.parametrize("cancelled_first", [True, False])
def test_nothing_more_is_given_back_once_the_dispute_is_lost(cancelled_first):
    payment = paid_order(10000)
    case = Case(payment)
    if cancelled_first:
        cancelled_by_teacher(payment)
        case.open()
        confirmed(Refund.objects.get(), "failed")
    else:
        case.open()
        cancelled_by_teacher(payment)
    case.lose()
    assert (live(payment), mails_after_dispute(payment)) == ([], [])
    assert (of_teacher(teacher_of(payment)), of_platform(), in_dispute()) == (0, -1500, 0)


def test_a_lost_dispute_that_is_won_after_all_is_refunded():
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    cancelled_by_teacher(payment)
    case.lose()
    case.win()
    assert live(payment) == [("teacher_cancelled", 10000, 1)]


def test_of_a_dispute_of_a_part_the_other_part_is_refunded_at_once():
    payment = paid_order(10000)
    case = Case(payment, 4000)
    case.open()
    done = cancel_for_teacher(line_id=only_line(payment).pk, reason="Ill", requested_by_id=None)
    assert done.refund.amount == pounds(6000)
    mail = Mail.objects.get(template="payments/mail/line_cancelled_by_teacher")
    assert (mail.context["amount"], mail.context["waiting"]) == ("£60.00", "£40.00")
    confirmed(done.refund)
    case.win()
    assert live(payment) == [("teacher_cancelled", 6000, 1), ("teacher_cancelled", 4000, 0)]
    confirmed(Refund.objects.latest("pk"))
    assert (of_teacher(teacher_of(payment)), book(AccountKind.PLATFORM_FEES)) == (0, 0)


def test_of_a_dispute_that_returns_a_part_that_part_is_refunded():
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    cancelled_by_teacher(payment)
    case.win(2500)
    assert live(payment) == [("teacher_cancelled", 2500, 1)]


def test_while_another_dispute_is_open_it_waits_and_what_that_one_takes_is_not_owed():
    payment = paid_order(10000)
    one, two = Case(payment, 6000), Case(payment, 4000)
    one.open()
    two.open()
    cancelled_by_teacher(payment)
    one.win()
    assert live(payment) == []
    two.lose()
    assert live(payment) == [("teacher_cancelled", 6000, 1)]


def test_a_dispute_lost_before_the_cancellation_is_not_owed():
    payment = paid_order(10000)
    first = Case(payment, 3000)
    first.open()
    first.lose()
    second = Case(payment, 7000)
    second.open()
    cancelled_by_teacher(payment)
    assert RefundAfterDispute.objects.get().amount == pounds(7000)
    second.win()
    assert live(payment) == [("teacher_cancelled", 7000, 1)]


def test_the_mail_about_the_cancellation_says_what_the_bank_decides():
    payment = paid_order(10000)
    Case(payment).open()
    cancelled_by_teacher(payment)
    drain(Mail, seconds=20)
    text = Mail.objects.get(template="payments/mail/line_cancelled_by_teacher").text_body
    assert "You dispute £100.00 of it with your bank." in text
    assert "already got your money back" not in text


def test_the_student_reads_that_the_refund_is_on_its_way():
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    cancelled_by_teacher(payment)
    case.win()
    drain(Mail, seconds=20)
    mail = Mail.objects.get(template="payments/mail/refund_after_dispute")
    assert mail.sent_at
    assert "You get £100.00 back." in mail.text_body


# --- The student cancels, or nothing was delivered --------------------------------------------------------------------


def test_what_the_policy_promised_the_student_is_refunded_and_no_more():
    payment = paid_order(10000)
    SAMPLE.full_until = timezone.now()
    refund = confirmed(cancelled_by_student(payment), "pending")
    assert refund.amount == pounds(5000)
    case = Case(payment)
    case.open()
    confirmed(refund, "failed")
    case.win()
    assert live(payment) == [("student_cancelled", 5000, 1)]
    confirmed(Refund.objects.live().get())
    assert of_teacher(teacher_of(payment)) == 4500
    case.report("won")
    assert len(live(payment)) == 1


def test_what_could_not_be_delivered_is_refunded():
    payment = undeliverable()
    refund = confirmed(Refund.objects.get(), "pending")
    case = Case(payment)
    case.open()
    confirmed(refund, "failed")
    assert live(payment) == []
    case.win()
    assert live(payment) == [("undeliverable", 10000, 1)]
    confirmed(Refund.objects.live().get())
    assert (book(AccountKind.REFUNDS_DUE), in_dispute(), of_platform()) == (0, 0, -1500)


def test_a_refund_that_staff_gave_is_theirs_to_repeat():
    payment = paid_order(10000)
    refund = confirmed(refunded(payment, OverAllLines(pounds(4000))), "pending")
    case = Case(payment)
    case.open()
    confirmed(refund, "failed")
    assert Alert.objects.filter(key=f"refund-failed:{refund.pk}", cleared_at=None).exists()
    case.win()
    assert live(payment) == []


def test_stripe_may_refuse_the_refund_before_it_reports_the_dispute():
    payment = paid_order(10000)
    cancelled_by_teacher(payment)
    refund = Refund.objects.get()
    record_refusal(refund, "charge_disputed Charge ch_1 has been charged back; cannot issue a refund.")
    alert = Alert.objects.get(key=f"refund-failed:{refund.pk}")
    case = Case(payment)
    case.open()
    assert live(payment) == []
    case.win()
    assert live(payment) == [("teacher_cancelled", 10000, 1)]
    alert.refresh_from_db()
    assert alert.cleared_at


def test_what_staff_refunded_meanwhile_is_not_owed_any_more():
    payment = paid_order(10000)
    SAMPLE.full_until = timezone.now()
    refund = cancelled_by_student(payment)
    record_refusal(refund, "charge_disputed Charge ch_1 has been charged back; cannot issue a refund.")
    refunded(payment, OfLines([LinePart(line_id=only_line(payment).pk, amount=pounds(5000))]))
    case = Case(payment, 3000)
    case.open()
    case.win()
    assert live(payment) == [("goodwill", 5000, 0)]


def test_a_refund_after_a_dispute_that_fails_because_of_another_is_repeated_once_that_is_won():
    payment = paid_order(10000)
    first = Case(payment)
    first.open()
    cancelled_by_teacher(payment)
    first.win()
    refund = confirmed(Refund.objects.get(), "pending")
    second = Case(payment)
    second.open()
    confirmed(refund, "failed")
    second.win()
    assert live(payment) == [("teacher_cancelled", 10000, 1)]


def test_what_cannot_be_refunded_is_an_alert_and_the_dispute_is_recorded_all_the_same():
    """The intent of the payment is not stored, so there is nothing to refund it from."""
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    cancel_for_teacher(line_id=only_line(payment).pk, reason="Ill", requested_by_id=None)
    intent = payment.stripe_payment_intent_id
    Payment.objects.filter(pk=payment.pk).update(stripe_payment_intent_id=None, stripe_charge_id="ch_1")
    case.changes |= {"payment_intent_id": "", "charge_id": "ch_1"}
    assert case.win().status == "won"
    assert (live(payment), in_dispute()) == ([], 0)
    alert = Alert.objects.get(key=f"refund-after-dispute:{RefundAfterDispute.objects.get().pk}")
    assert "£100.00 is owed" in alert.title
    assert broken(INVARIANTS).keys() == {
        "payments.refunds_after_disputes_are_requested",
    }
    Payment.objects.filter(pk=payment.pk).update(stripe_payment_intent_id=intent)
    refunded(payment)


# --- Once -------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


def killed_after(action):
    with transaction.atomic():
        action()
        assert Refund.objects.exists()
        raise Killed


def test_a_kill_between_the_win_and_its_commit_leaves_one_refund():
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    cancelled_by_teacher(payment)
    with pytest.raises(Killed):
        killed_after(case.win)
    assert live(payment) == []
    case.report("won")
    case.report("won")
    assert live(payment) == [("teacher_cancelled", 10000, 1)]
    assert mails_after_dispute(payment) == ["£100.00"]


@pytest.mark.django_db(transaction=True)
def test_two_reports_of_the_win_at_once_make_one_refund():
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    cancel_for_teacher(line_id=only_line(payment).pk, reason="Ill", requested_by_id=UserFactory().pk)
    case.movements.append(moved(10000, after=1))
    outcomes = at_once(*[lambda: case.report("won")] * 2)
    assert [outcome.status for outcome in outcomes] == ["won", "won"]
    assert live(payment) == [("teacher_cancelled", 10000, 1)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_a_cancellation_and_a_win_at_once_give_everything_back(_round):
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    line = only_line(payment)
    cancelled, won = at_once(lambda: cancel_for_teacher(line_id=line.pk, reason="Ill", requested_by_id=None), case.win)
    assert not isinstance(cancelled, Exception)
    assert won.status == "won"
    assert live(payment) == [("teacher_cancelled", 10000, 1)]
