"""Two processes at once: CC-01, CC-02, CC-04 to CC-08, and LB-05, each on connections of its own."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier, Event

import pytest
from django.db import connections, transaction

from jobs.runner import drain
from ledger.balances import balance_of
from ledger.checkpoints import take_checkpoints
from ledger.entries import AccountKey, AccountKind, JournalKind, credit, debit
from ledger.journals import record_journal
from ledger.models import Checkpoint, Posting
from ledger.opening import open_accounts
from ledger.tests.due import take_all_checkpoints
from money import Money
from payments.checkout import CartChanged, _prepare
from payments.models import DiscountCode, Order, Payment, WebhookEvent
from payments.payouts.requests import PayoutRefused, request_payout
from payments.pricing import price_cart
from payments.settlement import settle_payment
from payments.tests.discount_factories import code_of, discounted_cart
from payments.tests.factories import event_of, evidence_for, session_object
from payments.tests.payout_factories import ready_account
from payments.tests.sample_domain import SAMPLE
from payments.webhook.inbox import store_event
from tests.money_bugs.lectern_orders import second_page_of

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions):
    """Do all of them at the same moment, each on its own connection."""
    start = Barrier(len(actions))

    def run(action):
        start.wait()
        return on_own_connection(action)

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def on_own_connection(action):
    try:
        return action()
    finally:
        connections.close_all()


def paid_event(payment):
    return event_of("checkout.session.completed", session_object(payment))


def receive(event):
    """As two deliveries of one event do: both store it, and a worker performs what was stored."""
    store_event(event, source="webhook")
    drain(WebhookEvent, seconds=5)


def check_out_together(carts):
    """The payments of those who could still use their code; the others are sent back to their carts."""
    digests = [price_cart(cart).digest for cart in carts]

    def check_out(cart, digest):
        with suppress(CartChanged):
            prepared = _prepare(user=cart.user, cart=cart, agreed_digest=digest)
            return Payment.objects.select_related("order").get(pk=prepared.payment_id)

    outcomes = at_once(*(partial(check_out, cart, digest) for cart, digest in zip(carts, digests, strict=True)))
    return [payment for payment in outcomes if payment]


def pay(payment):
    Payment.objects.filter(pk=payment.pk).update(status="open", stripe_session_id=f"cs_test_{payment.reference.hex}")
    payment.refresh_from_db()
    settle_payment(evidence_for(payment))


def test_cc_01_a_voucher_for_one_use_is_used_once(lectern):
    """saleor/saleor#544: both buyers used it."""
    anna = lectern.teacher("A")
    code = code_of(off=[Money(2000, "GBP")], total_limit=1, bearer=anna)
    carts = [discounted_cart(10_000, codes=[code], teacher=anna) for _ in range(2)]
    (payment,) = check_out_together(carts)
    pay(payment)
    assert payment.amount_minor == 8000
    lectern.shows(A="72.00", platform="8.00")
    assert DiscountCode.objects.get().used == 1


def test_cc_02_three_of_five_use_a_voucher_for_three(lectern):
    """fossasia/eventyay#1398: it was checked before the lock, so all five used it."""
    anna = lectern.teacher("A")
    code = code_of(percent=50, total_limit=3, bearer=anna)
    payments = check_out_together([discounted_cart(1000, codes=[code], teacher=anna) for _ in range(5)])
    for payment in payments:
        pay(payment)
    assert [payment.amount_minor for payment in payments] == [500] * 3
    lectern.shows(A="13.50", platform="1.50")
    assert DiscountCode.objects.get().used == 3


def test_cc_04_return_and_event_together_make_one_order(lectern):
    """medusajs/medusa#13301: the browser's return and the event both processed the payment."""
    sale = lectern.open_sale("60.00")
    event = paid_event(sale.payment)
    at_once(lambda: settle_payment(evidence_for(sale.payment)), lambda: receive(event))
    sale.shows(paid="60.00", due="0.00")
    lectern.shows(A="54.00", platform="6.00")
    assert Order.objects.count() == 1


def test_cc_05_two_requests_at_once_do_not_promise_the_same_money(lectern):
    """blnkfinance/blnk#171: two settlements of 60.00 both read that 100.00 were left."""
    lectern.sell("111.11").is_earned()
    teacher = lectern.teacher("A")
    ready_account(teacher)

    def request():
        with suppress(PayoutRefused):
            return request_payout(teacher=teacher, currency="GBP", amount=Money(6000, "GBP"))

    requested = at_once(request, request)
    assert len([payout for payout in requested if payout]) == 1
    assert balance_of(AccountKind.TEACHER_AVAILABLE, "GBP", teacher_id=teacher.pk) == Money(4000, "GBP")
    assert balance_of(AccountKind.TEACHER_IN_PAYOUT, "GBP", teacher_id=teacher.pk) == Money(6000, "GBP")
    lectern.shows(A="100.00")


def test_cc_06_four_clicks_are_one_charge(at_stripe):
    """Attendize/Attendize#982: four clicks under load made four orders and four charges."""
    sale = at_stripe.open_sale("25.00")
    pages = at_once(*[sale.begin_checkout] * 4)
    assert {page.pk for page in pages} == {sale.payment.pk}
    assert sale.pays().ok
    at_stripe.works()
    assert (Order.objects.count(), at_stripe.received()) == (1, 2500)
    at_stripe.shows(A="22.50", fees="2.50")


def test_cc_07_an_event_delivered_twice_at_once_delivers_once(lectern):
    """vm0-ai/vm0#10668: the check came before the transaction, so 60 credits were given for 30."""
    sale = lectern.open_sale("30.00")
    event = paid_event(sale.payment)
    at_once(*[lambda: receive(event)] * 2)
    lectern.shows(A="27.00", platform="3.00")
    sale.shows(paid="30.00")
    assert len(SAMPLE.delivered[sale.line(1).row.pk]) == 1


def test_cc_08_the_second_of_two_payments_goes_back(lectern):
    """Automattic/woocommerce-payments#4358: two processes paid one order, and both charges were kept."""
    sale = lectern.open_sale("45.00")
    second = second_page_of(sale.payment)
    at_once(*[lambda page=page: settle_payment(evidence_for(page)) for page in (sale.payment, second)])
    refund = sale.automatic_refund()
    refund.shows(amount="45.00")
    refund.succeeds()
    sale.shows(paid="45.00", refunds=1, refunded="45.00")
    lectern.shows(A="40.50", platform="4.50")
    statuses = Payment.objects.filter(order=sale.order).values_list("status", flat=True)
    assert sorted(statuses) == ["failed", "succeeded"]


def test_lb_05_a_journal_that_commits_late_is_in_every_balance(lectern):
    """adamcharnock/django-hordak#142: a checkpoint up to the last id left out what was written before, and committed after."""
    teacher = lectern.teacher("A").pk
    is_written, may_commit = Event(), Event()

    def owe(minor, source):
        entries = [
            debit(AccountKind.STRIPE_CLEARING, Money(minor, "GBP")),
            credit(AccountKind.TEACHER_AVAILABLE, Money(minor, "GBP"), teacher),
        ]
        record_journal(source=source, kind=JournalKind.CORRECTION, entries=entries)

    def write_early_and_commit_late():
        with transaction.atomic():
            owe(4500, "early")
            is_written.set()
            assert may_commit.wait(30)

    def checkpoint():
        take_checkpoints(segment_postings=1)
        return balance_of(AccountKind.TEACHER_AVAILABLE, "GBP", teacher_id=teacher)

    open_accounts(
        [
            AccountKey(AccountKind.STRIPE_CLEARING, None, "GBP"),
            AccountKey(AccountKind.TEACHER_AVAILABLE, teacher, "GBP"),
        ]
    )
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(on_own_connection, write_early_and_commit_late)
        try:
            assert is_written.wait(30)
            owe(1800, "late")
            assert checkpoint() == Money(1800, "GBP")
        finally:
            may_commit.set()
        early.result(30)
    take_all_checkpoints()
    assert [checkpoint() for _ in range(2)] == [Money(6300, "GBP")] * 2
    owed = Posting.objects.filter(account__kind=AccountKind.TEACHER_AVAILABLE)
    assert -sum(owed.values_list("amount_minor", flat=True)) == 6300
    assert Checkpoint.objects.filter(account__kind=AccountKind.TEACHER_AVAILABLE).exists()
