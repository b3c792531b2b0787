"""How disputes end, under whatever name, and what follows for money, places and mails, in any order of events."""

import threading

import pytest
from django.db import transaction

from accounts.tests.factories import TeacherFactory, UserFactory
from ledger.entries import AccountKind
from ledger.locks import lock_teacher_accounts
from ledger.models import Account
from money import Money
from notifications.models import Alert, Mail
from payments.disputes.claims import CLOSED as CLOSED_BY_THE_RULES
from payments.disputes.fraud_warnings import WarningDecided, record_fraud_warning, refund_because_of_warning
from payments.disputes.stripe_objects import StripeFraudWarning
from payments.models import Dispute, FraudWarning, Refund
from payments.refunds.plan import LinePart, OfLines, OverAllLines
from payments.refunds.recording import record_refund
from payments.stripe_objects import StripeRefund
from payments.tests.disputing import OPENED, Case, book, held, in_dispute, moved, of_platform, of_teacher
from payments.tests.factories import open_order, paid_order, refunded, sample_offer
from payments.tests.races import at_once, wait_until_another_waits_for_a_lock
from payments.tests.test_disputes import confirmed, evidence_for, settle_payment, teacher_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]

STATUSES = [*Dispute.Status, "arbitration"]
CLOSED = {"warning_closed", "won", "lost", "prevented"}


def pounds(minor):
    return Money(minor, "GBP")


def only_line(payment):
    return payment.order.lines.get()


def mails_of(teacher, outcome):
    """The shares that mails to a teacher name, the oldest first."""
    sent = Mail.objects.filter(user=teacher.user, template=f"payments/mail/dispute_{outcome}")
    return [mail.context["share"] for mail in sent.order_by("pk")]


# --- Which statuses end a case ----------------------------------------------------------------------------------------


def test_the_rules_know_which_statuses_end_a_case():
    assert CLOSED == CLOSED_BY_THE_RULES


@pytest.mark.parametrize("status", STATUSES)
def test_what_was_taken_is_lost_once_the_case_is_over_however_that_is_called(status):
    payment = paid_order(10000)
    case = Case(payment)
    case.movements = [moved(-10000, fee=1500)]
    case.report(status)
    teacher = teacher_of(payment)
    if status in CLOSED - {"won"}:
        assert (in_dispute(), held(teacher), of_teacher(teacher), of_platform()) == (0, 0, 0, -1500)
        assert only_line(payment).state == "revoked"
        assert mails_of(teacher, "lost") == ["£90.00"]
        assert Alert.objects.filter(key__startswith="dispute-lost").count() == 1
    else:
        # A won case waits for its money, and so does one that is open, or that we do not know.
        assert (in_dispute(), held(teacher), of_teacher(teacher), of_platform()) == (10000, 9000, 9000, -500)
        assert only_line(payment).state == "fulfilled"
        assert mails_of(teacher, "lost") == []


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("back", [4000, 10000])
def test_what_comes_back_is_the_teachers_again_however_the_case_is_called(status, back):
    payment = paid_order(10000)
    case = Case(payment)
    case.movements = [moved(-10000, fee=1500), moved(back, after=1)]
    case.report(status, is_charge_refundable=True)
    teacher, missing = teacher_of(payment), 10000 - back
    is_over = status in CLOSED
    assert in_dispute() == (0 if is_over else missing)
    assert held(teacher) == (0 if is_over else missing * 9 // 10)
    assert of_teacher(teacher) == (back * 9 // 10 if is_over else 9000)
    payment.refresh_from_db()
    assert payment.refundable == pounds(back)


@pytest.mark.parametrize("status", STATUSES)
def test_a_case_that_took_nothing_books_nothing(status):
    payment = paid_order(10000)
    case = Case(payment)
    case.report(status, is_charge_refundable=True)
    teacher = teacher_of(payment)
    assert (in_dispute(), held(teacher), of_teacher(teacher), of_platform()) == (0, 0, 9000, 1000)
    assert only_line(payment).state == "fulfilled"
    assert not Mail.objects.filter(template__startswith="payments/mail/dispute_").exists()


@pytest.mark.parametrize("status", sorted(CLOSED - {"won"}))
def test_a_case_that_was_over_and_is_won_after_all_gives_everything_back(status):
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    case.report(status)
    case.win()
    assert (of_teacher(teacher_of(payment)), in_dispute(), of_platform()) == (9000, 0, -500)


# --- Refunds that fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refund_status", ["pending", "succeeded"])
@pytest.mark.parametrize("fails_first", [True, False])
def test_a_refund_that_fails_goes_to_the_lost_dispute_in_either_order(refund_status, fails_first):
    payment = paid_order(10000)
    refund = confirmed(refunded(payment, OverAllLines(pounds(10000))), refund_status)
    case = Case(payment)
    case.open()
    endings = [lambda: confirmed(refund, "failed"), case.lose]
    for end in endings if fails_first else reversed(endings):
        end()
    teacher = teacher_of(payment)
    assert (of_teacher(teacher), held(teacher), in_dispute()) == (0, 0, 0)
    assert (of_platform(), book(AccountKind.PLATFORM_LOSSES)) == (-1500, 0)
    assert only_line(payment).state == "revoked"
    assert mails_of(teacher, "lost") == ["£90.00"]
    # Repeats change nothing.
    confirmed(refund, "failed")
    case.lose()
    assert mails_of(teacher, "lost") == ["£90.00"]


def test_a_refund_of_a_part_that_fails_after_the_loss_takes_the_other_part_too():
    payment = paid_order(10000)
    refund = confirmed(refunded(payment, OverAllLines(pounds(4000))))
    case = Case(payment, 10000)
    case.open()
    case.lose()
    teacher = teacher_of(payment)
    assert mails_of(teacher, "lost") == ["£54.00"]
    confirmed(refund, "failed")
    assert mails_of(teacher, "lost") == ["£54.00", "£36.00"]
    assert (of_teacher(teacher), book(AccountKind.PLATFORM_LOSSES), only_line(payment).state) == (0, 0, "revoked")


def test_a_refund_that_fails_while_the_dispute_is_open_is_held_and_said_so():
    payment = paid_order(10000)
    refund = confirmed(refunded(payment), "pending")
    Case(payment).open()
    teacher = teacher_of(payment)
    assert mails_of(teacher, "held") == []
    confirmed(refund, "failed")
    assert (held(teacher), mails_of(teacher, "held"), only_line(payment).state) == (9000, ["£90.00"], "fulfilled")


def test_a_claim_that_makes_room_for_a_refund_is_not_called_won():
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    case.lose()
    record_refund(
        StripeRefund(
            id="re_dashboard",
            status="succeeded",
            amount=pounds(10000),
            payment_intent_id=payment.stripe_payment_intent_id,
            refund_key="",
        )
    )
    assert Dispute.objects.get().claimed_minor == 0
    assert mails_of(teacher_of(payment), "won") == []


def test_what_another_dispute_only_holds_is_not_revoked_yet():
    payment = paid_order(10000)
    one, two = Case(payment, 5000), Case(payment, 5000)
    one.open()
    two.open()
    one.lose()
    assert only_line(payment).state == "fulfilled"
    two.lose()
    assert only_line(payment).state == "revoked"


# --- Locks ------------------------------------------------------------------------------------------------------------


def two_teachers():
    """Two teachers whose accounts are in this order."""
    teachers = TeacherFactory(), TeacherFactory()
    for teacher in teachers:
        with transaction.atomic():
            lock_teacher_accounts([teacher.pk], "GBP")
    accounts = Account.objects.filter(kind=AccountKind.TEACHER_AVAILABLE).order_by("pk")
    assert [account.teacher_id for account in accounts] == [teacher.pk for teacher in teachers]
    return teachers


def won_from(one, other):
    """A dispute of only `one`'s line that is about to be won, and one that takes what it releases besides `other`'s."""
    payment = open_order(sample_offer(pounds(6000), teacher=other), sample_offer(pounds(4000), teacher=one))
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    line = payment.order.lines.get(teacher=other)
    refund = confirmed(refunded(payment, OfLines([LinePart(line_id=line.pk)])), "pending")
    small, whole = Case(payment, 4000), Case(payment, 10000)
    small.open()
    confirmed(refund, "failed")
    whole.open()
    assert list(Dispute.objects.filter(payment=payment).order_by("pk").values_list("claimed_minor", flat=True)) == [
        4000,
        6000,
    ]
    return small


@pytest.mark.django_db(transaction=True)
def test_a_dispute_locks_the_accounts_of_all_its_teachers_in_one_order():
    first, second = two_teachers()
    case = won_from(second, first)
    has_locked = threading.Event()

    def lock_one_after_the_other():
        with transaction.atomic():
            lock_teacher_accounts([first.pk], "GBP")
            has_locked.set()
            wait_until_another_waits_for_a_lock()
            lock_teacher_accounts([second.pk], "GBP")

    def win():
        assert has_locked.wait(30)
        return case.win()

    locked, won = at_once(lock_one_after_the_other, win)
    assert (locked, getattr(won, "status", won)) == (None, "won")


@pytest.mark.django_db(transaction=True)
def test_disputes_of_two_teachers_in_opposite_order_never_deadlock():
    first, second = two_teachers()
    for _ in range(5):
        cases = won_from(second, first), won_from(first, second)
        assert [getattr(won, "status", won) for won in at_once(*[case.win for case in cases])] == ["won", "won"]


# --- Early fraud warnings ---------------------------------------------------------------------------------------------


def warned(payment, *, is_actionable=True):
    return record_fraud_warning(
        StripeFraudWarning(
            id=f"issfr_{payment.pk}",
            charge_id="ch_1",
            payment_intent_id=payment.stripe_payment_intent_id,
            payment_reference="",
            fraud_type="misc",
            is_actionable=is_actionable,
            warned_at=OPENED,
        )
    )


def refund_of(warning):
    return refund_because_of_warning(FraudWarning.objects.get(pk=warning.pk), requested_by_id=UserFactory().pk)


def test_a_second_click_on_a_warning_is_refused_and_says_why():
    warning = warned(paid_order(10000))
    refund_of(warning)
    with pytest.raises(WarningDecided, match=r"£100.00 is refunded because of it"):
        refund_of(warning)
    assert Refund.objects.count() == 1


def test_a_page_that_is_out_of_date_does_not_refund_what_is_left():
    """The warning as another member of staff loaded it before."""
    payment = paid_order(10000)
    stale = warned(payment)
    refunded(payment, OverAllLines(pounds(10000)))
    with pytest.raises(WarningDecided, match="Nothing of this payment is left"):
        refund_because_of_warning(stale, requested_by_id=UserFactory().pk)


@pytest.mark.parametrize("disputed", [10000, 3000])
def test_a_warning_of_a_payment_that_is_disputed_meanwhile_is_not_refunded(disputed):
    payment = paid_order(10000)
    stale = warned(payment)
    Case(payment, disputed).open()
    with pytest.raises(WarningDecided, match="disputes this payment by now"):
        refund_because_of_warning(stale, requested_by_id=UserFactory().pk)
    assert not Refund.objects.exists()
    assert not FraudWarning.objects.get().needs_decision


def test_a_warning_that_stripe_closed_is_not_refunded():
    payment = paid_order(10000)
    stale = warned(payment)
    warned(payment, is_actionable=False)
    with pytest.raises(WarningDecided, match="Stripe has closed this warning"):
        refund_because_of_warning(stale, requested_by_id=UserFactory().pk)
    assert not Refund.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_members_of_staff_one_refunds():
    warning = warned(paid_order(10000))
    outcomes = at_once(*[lambda: refund_of(warning)] * 2)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refund", "WarningDecided"]
    assert Refund.objects.count() == 1
