"""All paths lock cart, order and places in the same sequence: each pair runs at once, on two connections."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connections, transaction
from psycopg.errors import DeadlockDetected

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory
from payments.cart import change_quantity, merge_guest_cart
from payments.checkout import CartChanged, CartEmpty, _prepare
from payments.deadlocks import retried_after_deadlock
from payments.discounts.cart_codes import enter_code
from payments.evidence import PaymentDisagrees
from payments.models import Cart, CartLine, Payment
from payments.models.order import lines_in_lock_order
from payments.orders import cancel_order
from payments.outcomes import record_expiry, record_refused_debit
from payments.pricing import price_cart
from payments.refunds.plan import RefundRefused, WholeOrder
from payments.refunds.requests import request_refund
from payments.sessions import AlreadyPaid
from payments.settlement import record_processing, settle_payment
from payments.tests.discount_factories import code_of
from payments.tests.factories import cart_with, evidence_for, open_order, sample_offer
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def places_that_are_locked(monkeypatch):
    """A domain that locks a row for each line, as the real ones do, slowly."""

    def lock(line, *_):
        list(Teacher.objects.select_for_update(no_key=True).filter(pk=line.teacher_id))
        time.sleep(0.15)

    for name in ("reserve", "fulfil", "release", "revoke"):
        monkeypatch.setattr(SAMPLE, name, lock)


class Purchase:
    """A student with an order with a code whose page is open, and a cart that holds the same item again."""

    def __init__(self):
        self.reference = sample_offer()
        cart = cart_with(self.reference)
        enter_code(cart=cart, text=code_of(percent=10).code)
        self.payment = open_order(cart=cart)
        self.cart = self.payment.order.cart
        self.user = self.payment.order.user
        self.guest = Cart.objects.create(currency="GBP")
        CartLine.objects.create(cart=self.guest, domain="sample", reference=self.reference, seen_unit_minor=2500)
        self.line = self.cart.lines.get()

    def settle(self):
        settle_payment(evidence_for(self.payment))

    def process(self):
        record_processing(evidence_for(self.payment))

    def expire(self):
        record_expiry(self.payment)

    def refuse_debit(self):
        record_refused_debit(Payment.objects.select_related("order").get(pk=self.payment.pk))

    def cancel(self):
        cancel_order(order_id=self.payment.order_id, reason="x", payment_status=Payment.Status.EXPIRED)

    def check_out(self):
        cart = Cart.objects.get(pk=self.cart.pk)
        _prepare_once(user=self.user, cart=cart, agreed_digest=price_cart(cart).digest)

    def change_cart(self):
        change_quantity(cart=Cart.objects.get(pk=self.cart.pk), line_id=self.line.pk, quantity=2)

    def merge(self):
        merge_guest_cart(guest=Cart.objects.get(pk=self.guest.pk), buyer_id=self.user.pk)

    def refund(self):
        request_refund(
            order_id=self.payment.order_id, wanted=WholeOrder(), reason="requested", request_key=f"k{self.payment.pk}"
        )


PATHS = ("settle", "process", "expire", "refuse_debit", "cancel", "check_out", "change_cart", "merge", "refund")
# Without the retry, which would hide a deadlock.
_prepare_once = _prepare.__wrapped__
# The errors that a path may raise if the other one was faster.
TOO_LATE = (AlreadyPaid, PaymentDisagrees, RefundRefused, CartEmpty, CartChanged)


def run_at_once(*functions):
    """Start the functions at the same moment; returns the deadlocks that PostgreSQL had to break."""
    barrier = threading.Barrier(len(functions))

    def run(function):
        try:
            barrier.wait(10)
            function()
        except OperationalError as error:
            return [error] if isinstance(error.__cause__, DeadlockDetected) else []
        except Exception as problem:
            if not isinstance(problem, TOO_LATE):
                raise
        finally:
            connections.close_all()
        return []

    with ThreadPoolExecutor(len(functions)) as pool:
        return [deadlock for found in pool.map(run, functions) for deadlock in found]


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations_with_replacement(PATHS, 2)))
def test_two_paths_at_once_never_deadlock(places_that_are_locked, first, second):
    purchase = Purchase()
    assert run_at_once(getattr(purchase, first), getattr(purchase, second)) == []


def test_a_refused_debit_and_a_checkout_of_the_same_place_do_not_deadlock(places_that_are_locked):
    purchase = Purchase()
    purchase.process()
    # The debit is processing; the student has added the same item to the cart again and pays.
    cart = cart_with(purchase.reference, user=purchase.user)
    assert (
        run_at_once(
            purchase.refuse_debit,
            lambda: _prepare_once(user=purchase.user, cart=cart, agreed_digest=price_cart(cart).digest),
        )
        == []
    )


def test_lines_are_locked_by_teacher_so_that_calendars_are_locked_in_one_sequence():
    first, second = TeacherFactory(), TeacherFactory()
    orders = []
    for teachers in ((first, second), (second, first)):
        references = [sample_offer() for _ in teachers]
        payment = open_order(*references)
        for reference, teacher in zip(references, teachers, strict=True):
            payment.order.lines.filter(reference=reference).update(teacher=teacher)
        orders.append(payment.order)
    assert [[line.teacher_id for line in lines_in_lock_order(order)] for order in orders] == [[first.pk, second.pk]] * 2


def test_after_a_deadlock_the_transaction_is_retried_once():
    teachers = sorted([TeacherFactory().pk, TeacherFactory().pk])
    calls, meeting = [], threading.Barrier(2, timeout=10)

    @transaction.atomic
    def lock(pks):
        calls.append(pks)
        for number, pk in enumerate(pks):
            list(Teacher.objects.select_for_update().filter(pk=pk))
            if number == 0 and len(calls) <= 2:
                meeting.wait()

    both = retried_after_deadlock(lock)
    assert run_at_once(lambda: both(teachers), lambda: both(teachers[::-1])) == []
    assert len(calls) == 3
