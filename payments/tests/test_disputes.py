"""Disputes in the books: each balance transaction once, whatever the order, and nothing is paid twice.

The rows DI-01 to DI-09 are faults that others had in public; the figures are those that are right here.
"""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import TeacherFactory
from ledger.entries import AccountKind
from ledger.models import Journal
from money import Money
from notifications.models import Alert, Mail
from payments.disputes.recording import DisputeDisagrees, record_dispute
from payments.documents.numbering import number_receipt
from payments.earnings.maturing import mature_earning
from payments.finding import PaymentNotSettledYet
from payments.models import Dispute, Earning, OrderLine, Payment, Refund
from payments.refunds.plan import AmountDisputed, LinePart, OfLines, OverAllLines
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import StripeRefund
from payments.tests.disputing import Case, book, held, in_dispute, moved, of_platform, of_teacher, said
from payments.tests.factories import evidence_for, open_order, paid_order, refunded, sample_offer
from payments.tests.sample_domain import SAMPLE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]


def pounds(minor):
    return Money(minor, "GBP")


def teacher_of(payment):
    return payment.order.lines.first().teacher


def sold_by(*amounts, currency="GBP"):
    """An order of lines at these prices, each of another teacher; returns its payment and the teachers."""
    teachers = [TeacherFactory() for _ in amounts]
    references = [sample_offer(Money(amount, currency)) for amount in amounts]
    payment = open_order(*references)
    lines = {line.reference: line for line in payment.order.lines.all()}
    for reference, teacher in zip(references, teachers, strict=True):
        OrderLine.objects.filter(pk=lines[reference].pk).update(teacher=teacher)
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    return payment, teachers


def confirmed(refund, status="succeeded"):
    """Stripe reports on a refund of ours."""
    record_refund(
        StripeRefund(
            id=refund.stripe_refund_id or f"re_{refund.pk}",
            status=status,
            amount=refund.amount,
            payment_intent_id=refund.payment.stripe_payment_intent_id,
            refund_key=refund.idempotency_key,
        )
    )
    refund.refresh_from_db()
    return refund


def mature(payment):
    """All shares of the order become available to their teachers."""
    long_ago = timezone.now() - timedelta(days=100)
    payment.order.paid_at = long_ago
    payment.order.save(update_fields=["paid_at"])
    number_receipt(payment.order)  # an hour after the payment it has been numbered
    for line in payment.order.lines.all():
        assert mature_earning(line.pk)


def disputed_of(payment):
    """What payment and lines count as disputed."""
    payment.refresh_from_db()
    lines = payment.order.lines.all()
    return payment.disputed_minor, [(line.disputed_minor, line.disputed_fee_minor) for line in lines]


# --- The known faults -------------------------------------------------------------------------------------------------


def test_di_01_no_refund_while_a_dispute_is_open_and_one_debit_in_the_end():
    """antiwork/gumroad#4358"""
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    with pytest.raises(AmountDisputed, match="nothing of it can be refunded"):
        refunded(payment)
    assert (held(teacher_of(payment)), of_teacher(teacher_of(payment)), in_dispute()) == (9000, 9000, 10000)
    case.lose()
    assert (of_teacher(teacher_of(payment)), of_platform(), in_dispute()) == (0, -1500, 0)
    assert book(AccountKind.PLATFORM_FEES) == 0
    with pytest.raises(AmountDisputed):
        refunded(payment)


def test_di_02_a_won_dispute_reaches_the_books():
    """antiwork/gumroad#2055"""
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    dispute = case.win()
    assert (of_teacher(teacher_of(payment)), held(teacher_of(payment)), of_platform()) == (9000, 0, -500)
    payment.refresh_from_db()
    assert (dispute.status, payment.refundable, in_dispute()) == ("won", pounds(10000), 0)
    assert refunded(payment).amount == pounds(10000)


def test_di_03_a_loss_takes_what_is_disputed_not_the_whole_order():
    """Automattic/woocommerce-payments#6196"""
    payment, (first, second, third) = sold_by(5000, 2000, 3000)
    line = payment.order.lines.get(amount_minor=3000)
    confirmed(refunded(payment, OfLines([LinePart(line_id=line.pk)])))
    case = Case(payment, 7000)
    case.open()
    assert [held(teacher) for teacher in (first, second, third)] == [4500, 1800, 0]
    case.lose()
    assert [of_teacher(teacher) for teacher in (first, second, third)] == [0, 0, 0]
    assert (of_platform(), book(AccountKind.PLATFORM_FEES)) == (-1500, 0)


def test_di_04_more_than_the_charge_is_recorded_in_full():
    """polarsource/polar#8344"""
    payment = paid_order(10000)
    case = Case(payment, 10320)
    dispute = case.open()
    assert (dispute.claimed_minor, dispute.excess_minor) == (10000, 320)
    case.lose()
    assert (of_teacher(teacher_of(payment)), of_platform(), in_dispute()) == (0, -1820, 0)
    assert book(AccountKind.PLATFORM_LOSSES) == 320


def test_di_05_amounts_in_the_currency_of_settlement_are_not_read_as_the_payments():
    """Automattic/woocommerce-payments#11327: 10,000 yen, an account paid out in pounds, and a fee of 15.00 pounds."""
    payment = paid_order(10000, currency="JPY")
    case = Case(payment)
    case.movements = [moved(-5300, currency="GBP", fee=1500, rate="0.0053")]
    case.report("needs_response")
    assert (held(teacher_of(payment), "JPY"), in_dispute("JPY"), in_dispute("GBP")) == (9000, 10000, 0)
    case.lose()
    assert (of_teacher(teacher_of(payment), "JPY"), of_platform("JPY"), of_platform("GBP")) == (0, 0, -1500)
    assert book(AccountKind.STRIPE_CLEARING, "GBP") == -6800


def test_di_06_an_inquiry_makes_no_entries():
    """Automattic/woocommerce-payments#794"""
    payment = paid_order(10000)
    case = Case(payment)
    before = Journal.objects.count()
    for status in ("warning_needs_response", "warning_under_review", "warning_closed"):
        case.report(status)
    assert Journal.objects.count() == before
    assert (of_teacher(teacher_of(payment)), of_platform(), disputed_of(payment)[0]) == (9000, 1000, 0)
    assert refunded(payment).amount == pounds(10000)


def test_di_07_a_refund_is_refused_meanwhile_and_the_fee_is_booked_though_won():
    """opencollective/opencollective-api#10125"""
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    with pytest.raises(AmountDisputed):
        refunded(payment, OverAllLines(pounds(1)))
    case.win()
    assert (of_teacher(teacher_of(payment)), of_platform()) == (9000, -500)


def test_di_08_refunded_then_disputed_costs_the_platform_not_the_teacher():
    """juspay/hyperswitch#10533"""
    payment = paid_order(1000)
    confirmed(refunded(payment))
    case = Case(payment)
    dispute = case.open()
    assert (dispute.claimed_minor, dispute.excess_minor, held(teacher_of(payment))) == (0, 1000, 0)
    case.lose()
    assert (of_teacher(teacher_of(payment)), of_platform()) == (0, -2500)


def test_di_09_six_disputes_of_paid_out_sales_leave_a_debt():
    """liberapay/liberapay.com#1421"""
    teacher = TeacherFactory()
    payments = []
    for _ in range(6):
        reference = sample_offer(Money(8400, "EUR"), teacher=teacher)
        payment = open_order(reference)
        settle_payment(evidence_for(payment))
        payment.refresh_from_db()
        mature(payment)
        payments.append(payment)
    assert book(AccountKind.TEACHER_AVAILABLE, "EUR", teacher) == 45360
    pay_out(teacher, Money(45360, "EUR"))
    for payment in payments:
        case = Case(payment)
        case.open()
        case.lose()
    assert book(AccountKind.TEACHER_AVAILABLE, "EUR", teacher) == -45360
    assert (book(AccountKind.PLATFORM_FEES, "EUR"), of_platform("EUR")) == (0, -9000)
    assert Mail.objects.filter(user=teacher.user, template="payments/mail/dispute_lost").count() == 6


def pay_out(teacher, amount):
    """A payout as the ledger sees it in the end."""
    from ledger.entries import credit, debit
    from ledger.journals import record_journal

    entries = [debit(AccountKind.TEACHER_AVAILABLE, amount, teacher.pk), credit(AccountKind.STRIPE_CLEARING, amount)]
    record_journal(source=f"payout:test-{teacher.pk}", kind="payout_paid", entries=entries)


# --- Order of arrival -------------------------------------------------------------------------------------------------


def states_of(payment):
    """The states that the events of a won dispute fetch, each with the movements so far."""
    taken, given = moved(-10000, fee=1500), moved(10000, fee=-1500, after=1)
    return [
        said(payment, "needs_response", [taken]),
        said(payment, "under_review", [taken], submission_count=1),
        said(payment, "won", [taken], is_charge_refundable=True),
        said(payment, "won", [taken, given]),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_states_in_any_order_end_the_same(order):
    payment = paid_order(10000)
    states = states_of(payment)
    for position in order:
        record_dispute(states[position])
        record_dispute(states[position])
    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.movements.count(), dispute.claimed_minor) == ("won", 2, 0)
    assert (of_teacher(teacher_of(payment)), held(teacher_of(payment)), of_platform(), in_dispute()) == (
        9000,
        0,
        1000,
        0,
    )


def test_a_repeat_changes_nothing_and_says_so():
    payment = paid_order(10000)
    state = said(payment, "needs_response", [moved(-10000, fee=1500)])
    assert record_dispute(state).has_changed
    journals = Journal.objects.count()
    for _ in range(3):
        assert not record_dispute(state).has_changed
    assert Journal.objects.count() == journals
    assert Mail.objects.filter(template="payments/mail/dispute_held").count() == 1
    assert Alert.objects.get(key__startswith="dispute-to-answer").occurrences == 1


def test_a_closed_dispute_that_moves_money_again_is_followed():
    """A lost dispute may be won in a second round, and a won one lost."""
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    case.lose()
    case.win()
    assert (of_teacher(teacher_of(payment)), of_platform(), in_dispute()) == (9000, -500, 0)
    case.movements.append(moved(-10000, after=2))
    case.report("needs_response")
    assert (held(teacher_of(payment)), in_dispute()) == (9000, 10000)
    case.lose()
    assert (of_teacher(teacher_of(payment)), of_platform(), in_dispute()) == (0, -1500, 0)


def test_an_inquiry_that_becomes_a_dispute_holds_the_money_then():
    payment = paid_order(10000)
    case = Case(payment)
    case.report("warning_needs_response")
    assert held(teacher_of(payment)) == 0
    case.open()
    assert held(teacher_of(payment)) == 9000


def test_a_dispute_before_its_withdrawal_blocks_refunds_and_holds():
    payment = paid_order(10000)
    case = Case(payment)
    case.report("needs_response")
    assert (held(teacher_of(payment)), in_dispute()) == (9000, 0)
    with pytest.raises(AmountDisputed):
        refunded(payment)
    case.open()
    assert (held(teacher_of(payment)), in_dispute()) == (9000, 10000)


def test_an_unknown_status_holds_what_was_taken():
    payment = paid_order(10000)
    case = Case(payment, 4000)
    case.open()
    dispute = case.report("arbitration", is_charge_refundable=False)
    assert (dispute.status_text, dispute.is_closed, held(teacher_of(payment))) == ("arbitration", False, 3600)


# --- Parts ------------------------------------------------------------------------------------------------------------


def test_a_partial_closing_loses_only_what_did_not_come_back():
    payment, (first, second) = sold_by(6000, 4000)
    case = Case(payment)
    case.open()
    case.win(2500)
    assert disputed_of(payment)[0] == 7500
    assert [of_teacher(teacher) for teacher in (first, second)] == [1350, 900]
    assert (of_platform(), in_dispute()) == (250 - 1500, 0)
    payment.refresh_from_db()
    assert payment.refundable == pounds(2500)


def test_several_disputes_of_one_payment_take_no_more_than_it():
    payment = paid_order(10000)
    one, two = Case(payment, 6000), Case(payment, 6000)
    one.open()
    dispute = two.open()
    assert (dispute.claimed_minor, dispute.excess_minor, held(teacher_of(payment))) == (4000, 2000, 9000)
    two.lose()
    assert book(AccountKind.PLATFORM_LOSSES) == 2000
    one.win()
    # What the first one releases, the second one takes.
    assert (of_teacher(teacher_of(payment)), book(AccountKind.PLATFORM_LOSSES), in_dispute()) == (3600, 0, 0)


def test_more_given_back_than_taken_is_the_platforms():
    payment = paid_order(10000)
    case = Case(payment)
    case.open()
    case.win(10200)
    assert (of_teacher(teacher_of(payment)), of_platform(), in_dispute()) == (9000, 1000 + 200 - 1500, 0)


def test_a_line_that_could_not_be_delivered_was_never_the_teachers():
    reference = sample_offer(pounds(10000))
    SAMPLE.undeliverable.add(reference)
    payment = open_order(reference)
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    case = Case(payment)
    dispute = case.open()
    assert dispute.claimed_minor == 0  # its refund is under way
    refund = Refund.objects.get()
    confirmed(refund, "failed")
    dispute.refresh_from_db()
    assert (dispute.claimed_minor, of_teacher(teacher_of(payment))) == (10000, 0)
    case.lose()
    assert (of_platform(), book(AccountKind.REFUNDS_DUE), in_dispute()) == (-1500, 0, 0)
    assert not Mail.objects.filter(template__startswith="payments/mail/dispute").exists()


def test_a_second_payment_of_an_order_belongs_to_no_teacher():
    payment = paid_order(10000)
    second = Payment.objects.get(pk=payment.pk)
    second.pk, second.reference = None, __import__("uuid").uuid4()
    second.idempotency_key, second.stripe_session_id = "second", "cs_second"
    second.stripe_payment_intent_id, second.stripe_charge_id = "pi_second", None
    second.status, second.succeeded_at = Payment.Status.FAILED, None
    second._state.adding = True
    second.save()
    from payments.earnings.books import book_second_payment

    book_second_payment(second)
    case = Case(second)
    dispute = case.open()
    assert (dispute.claimed_minor, dispute.allocations.count(), held(teacher_of(payment))) == (10000, 0, 0)
    case.lose()
    assert (of_teacher(teacher_of(payment)), book(AccountKind.REFUNDS_DUE), of_platform()) == (9000, 0, -500)


# --- Refunds and disputes together ------------------------------------------------------------------------------------


def test_a_refund_under_way_that_fails_because_of_the_dispute_is_claimed_by_it():
    """Failure mode 46: the teacher is debited once."""
    payment = paid_order(10000)
    refund = confirmed(refunded(payment), "pending")
    assert held(teacher_of(payment)) == 9000
    case = Case(payment)
    dispute = case.open()
    assert (dispute.claimed_minor, dispute.excess_minor, held(teacher_of(payment))) == (0, 10000, 9000)
    confirmed(refund, "failed")
    dispute.refresh_from_db()
    assert (dispute.claimed_minor, dispute.excess_minor, held(teacher_of(payment))) == (10000, 0, 9000)
    case.lose()
    assert (of_teacher(teacher_of(payment)), of_platform()) == (0, -1500)


def test_a_refund_that_fails_after_the_dispute_is_lost_moves_the_loss_to_the_lines():
    payment = paid_order(10000)
    refund = confirmed(refunded(payment), "pending")
    case = Case(payment)
    case.open()
    case.lose()
    assert book(AccountKind.PLATFORM_LOSSES) == 10000
    confirmed(refund, "failed")
    assert (book(AccountKind.PLATFORM_LOSSES), of_teacher(teacher_of(payment)), of_platform()) == (0, 0, -1500)


def test_a_refund_made_at_stripe_before_the_dispute_but_reported_after_it_finds_room():
    payment = paid_order(10000)
    Case(payment).open()
    record_refund(
        StripeRefund(
            id="re_dashboard",
            status="succeeded",
            amount=pounds(4000),
            payment_intent_id=payment.stripe_payment_intent_id,
            refund_key="",
        )
    )
    dispute = Dispute.objects.get()
    assert (dispute.claimed_minor, dispute.excess_minor) == (6000, 4000)
    assert (held(teacher_of(payment)), of_teacher(teacher_of(payment))) == (5400, 5400)
    payment.refresh_from_db()
    assert (payment.refunded_minor, payment.refundable.minor) == (4000, 0)


# --- Time and balances ------------------------------------------------------------------------------------------------


def test_what_is_held_when_the_share_matures_comes_back_as_available():
    payment = paid_order(10000)
    case = Case(payment, 4000)
    case.open()
    mature(payment)
    teacher = teacher_of(payment)
    assert (book(AccountKind.TEACHER_AVAILABLE, teacher=teacher), held(teacher)) == (5400, 3600)
    case.win()
    assert (book(AccountKind.TEACHER_AVAILABLE, teacher=teacher), held(teacher)) == (9000, 0)
    assert book(AccountKind.TEACHER_PENDING, teacher=teacher) == 0
    assert Earning.objects.get(line__order=payment.order).matured_minor == 5400


def test_a_dispute_after_the_payout_is_a_debt_that_the_next_sale_pays_off():
    """Failure mode 44."""
    payment = paid_order(10000)
    mature(payment)
    teacher = teacher_of(payment)
    pay_out(teacher, pounds(9000))
    case = Case(payment)
    case.open()
    assert (book(AccountKind.TEACHER_AVAILABLE, teacher=teacher), held(teacher)) == (-9000, 9000)
    case.lose()
    assert of_teacher(teacher) == -9000
    next_sale = open_order(sample_offer(pounds(20000), teacher=teacher))
    settle_payment(evidence_for(next_sale))
    next_sale.refresh_from_db()
    mature(next_sale)
    assert book(AccountKind.TEACHER_AVAILABLE, teacher=teacher) == 9000


# --- Not ours, or too early -------------------------------------------------------------------------------------------


def test_a_dispute_of_a_payment_that_is_not_ours_is_left_alone():
    payment = paid_order(10000)
    stranger = said(payment, payment_intent_id="pi_strange", charge_id="ch_strange", payment_reference="")
    assert record_dispute(stranger) is None
    assert not Dispute.objects.exists()


def test_a_dispute_before_our_settlement_waits():
    payment = open_order(sample_offer(pounds(10000)))
    early = said(payment, payment_intent_id="pi_early", movements=[moved(-10000)])
    with pytest.raises(PaymentNotSettledYet):
        record_dispute(early)
    settle_payment(evidence_for(payment, payment_intent_id="pi_early"))
    assert record_dispute(early).dispute.claimed_minor == 10000


def test_a_dispute_without_an_intent_is_found_by_its_charge():
    payment = paid_order(10000)
    Payment.objects.filter(pk=payment.pk).update(stripe_charge_id="ch_of_ours")
    assert record_dispute(said(payment, payment_intent_id="", charge_id="ch_of_ours", payment_reference=""))


def test_a_dispute_that_changes_its_payment_is_refused():
    payment, other = paid_order(10000), paid_order(10000)
    record_dispute(said(payment, id="du_1"))
    with pytest.raises(DisputeDisagrees):
        record_dispute(said(other, id="du_1"))
