"""Codes in carts and orders: entered, held with the order, confirmed when paid, and released when not."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from money import Money
from payments.cart import add_to_cart, merge_guest_cart, remove_line
from payments.checkout import CartChanged, CartEmpty, start_checkout
from payments.contracts import Item
from payments.discounts.cart_codes import CodeRefused, CodeUnknown, enter_code, remove_code
from payments.models import Cart, DiscountCode, Order, Payment, Redemption
from payments.orders import cancel_order
from payments.outcomes import record_refused_debit
from payments.pricing import price_cart
from payments.settlement import record_processing, settle_payment
from payments.tests.discount_factories import code_of, discounted_cart, open_discounted, paid_discounted, prepare
from payments.tests.factories import evidence_for, open_order, sample_offer
from payments.tests.sample_domain import SAMPLE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]

GBP_500 = Money(500, "GBP")


def states(code):
    return list(Redemption.objects.filter(code=code).order_by("pk").values_list("state", flat=True))


def used(code):
    return DiscountCode.objects.get(pk=code.pk).used


def cancelled(payment):
    cancel_order(order_id=payment.order_id, reason="expired", payment_status=Payment.Status.EXPIRED)


def test_a_code_is_known_in_any_case_and_its_effect_is_frozen_on_the_lines():
    code = code_of(percent=10, code="SPRING-10")
    cart = discounted_cart(600, 400)
    enter_code(cart=cart, text=" spring-10 ")
    priced = price_cart(cart)
    assert (priced.subtotal, priced.discount, priced.total) == (
        Money(1000, "GBP"),
        Money(100, "GBP"),
        Money(900, "GBP"),
    )
    order = open_order(cart=cart).order
    assert (order.subtotal_minor, order.discount_minor, order.total_minor) == (1000, 100, 900)
    assert sorted(order.lines.values_list("discount_minor", "amount_minor")) == [(40, 360), (60, 540)]
    assert (states(code), used(code)) == ([Redemption.State.HELD], 1)


def test_an_unknown_code_changes_nothing():
    cart = discounted_cart(1000)
    for text in ("NO-SUCH", "", "\0", "x" * 500):
        with pytest.raises(CodeUnknown):
            enter_code(cart=cart, text=text)
    assert not cart.discounts.exists()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"is_active": False}, "no longer valid"),
        ({"ends_at": timezone.now() - timedelta(seconds=1)}, "no longer valid"),
        ({"starts_at": timezone.now() + timedelta(days=1)}, "valid from"),
        ({"total_limit": 0}, "used up"),
        ({"student_limit": 0}, "already used"),
        ({"domain": "elsewhere"}, "for nothing in your cart"),
        ({"least": [Money(5000, "GBP")]}, "needs £50.00"),
        ({"least": [Money(1, "EUR")]}, "for EUR"),
    ],
)
def test_a_code_that_takes_nothing_off_is_refused_with_the_reason(fields, reason):
    cart = discounted_cart(1000)
    code = code_of(percent=10, **fields)
    with pytest.raises(CodeRefused, match=reason):
        enter_code(cart=cart, text=code.code)
    assert not cart.discounts.exists()


def test_a_code_whose_condition_lapses_stays_in_the_cart_and_says_why():
    code = code_of(off=[GBP_500], least=[Money(3000, "GBP")])
    cart = discounted_cart(2000, 1000, codes=[code])
    remove_line(cart=cart, line_id=cart.lines.get(seen_unit_minor=1000).pk)
    priced = price_cart(cart)
    assert (priced.discount, priced.total) == (None, Money(2000, "GBP"))
    assert priced.codes[0].reason.startswith("This code needs £30.00")
    payment = open_order(cart=cart)
    assert not payment.order.redemptions.exists()
    assert used(code) == 0


def test_a_teachers_code_is_for_their_own_things():
    anna, ben = TeacherFactory(), TeacherFactory()
    code = code_of(percent=50, bearer=anna, is_stackable=True)
    cart = discounted_cart(1000, teacher=anna)
    add = sample_offer(Money(3000, "GBP"), teacher=ben)
    add_to_cart(Item(domain="sample", reference=add), buyer_id=cart.user_id, cart=cart, currency="GBP")
    enter_code(cart=cart, text=code.code)
    assert price_cart(cart).discount == Money(500, "GBP")


def test_the_same_order_meets_its_own_hold(stripe_sandbox):
    code = code_of(percent=10, total_limit=1, student_limit=1)
    cart = discounted_cart(1000, codes=[code])
    digest = price_cart(cart).digest
    first = start_checkout(user=cart.user, cart=cart, agreed_digest=digest)
    assert price_cart(cart).digest == digest
    assert start_checkout(user=cart.user, cart=cart, agreed_digest=digest) == first
    assert used(code) == 1


def test_a_changed_cart_gives_back_the_use_and_takes_it_again(stripe_sandbox):
    code = code_of(percent=10, total_limit=1)
    cart = discounted_cart(1000, codes=[code])
    start_checkout(user=cart.user, cart=cart, agreed_digest=price_cart(cart).digest)
    reference = sample_offer(Money(3000, "GBP"))
    add_to_cart(Item(domain="sample", reference=reference), buyer_id=cart.user_id, cart=cart, currency="GBP")
    payment = start_checkout(user=cart.user, cart=cart, agreed_digest=price_cart(cart).digest)
    assert payment.amount_minor == 3600
    assert states(code) == [Redemption.State.RELEASED, Redemption.State.HELD]
    assert used(code) == 1


def test_stripes_page_shows_the_figures_of_the_cart(stripe_sandbox):
    code = code_of(off=[Money(5000, "GBP")])
    cart = discounted_cart(3000, quantity=4, codes=[code])
    payment = start_checkout(user=cart.user, cart=cart, agreed_digest=price_cart(cart).digest)
    (item,) = payment.session_request["line_items"]
    assert (item["quantity"], item["price_data"]["unit_amount"]) == (4, 1750)
    assert payment.amount_minor == 7000


def test_a_paid_order_keeps_its_use_and_its_code_leaves_the_cart():
    code = code_of(percent=10, student_limit=1)
    payment = paid_discounted(1000, codes=[code])
    cart = payment.order.cart
    assert (states(code), used(code)) == ([Redemption.State.CONFIRMED], 1)
    assert not cart.discounts.exists()
    again = discounted_cart(1000, user=payment.order.user)
    with pytest.raises(CodeRefused, match="You have already used this code"):
        enter_code(cart=again, text=code.code)


def test_an_unpaid_order_gives_its_use_back_once():
    code = code_of(percent=10, total_limit=1)
    payment = open_discounted(1000, codes=[code])
    cancelled(payment)
    cancelled(payment)
    assert (states(code), used(code)) == ([Redemption.State.RELEASED], 0)
    assert payment.order.cart.discounts.exists()


def test_a_use_that_is_gone_at_the_last_moment_sends_the_student_back_to_the_cart():
    code = code_of(percent=10, total_limit=1)
    cart = discounted_cart(1000, codes=[code])
    digest = price_cart(cart).digest
    DiscountCode.objects.filter(pk=code.pk).update(total_limit=0)
    with pytest.raises(CartChanged):
        start_checkout(user=cart.user, cart=cart, agreed_digest=digest)
    assert not Order.objects.exists()


def test_an_order_paid_after_it_was_cancelled_takes_its_use_again_or_goes_beyond_the_limit():
    code = code_of(percent=10, total_limit=1)
    late = open_discounted(1000, codes=[code])
    cancelled(late)
    settle_payment(evidence_for(late))
    assert (states(code), used(code)) == ([Redemption.State.CONFIRMED], 1)
    other = code_of(percent=10, total_limit=1)
    late = open_discounted(1000, codes=[other])
    cancelled(late)
    paid_discounted(1000, codes=[other])
    settle_payment(evidence_for(late))
    assert states(other) == [Redemption.State.BEYOND_LIMIT, Redemption.State.CONFIRMED]
    assert used(other) == 1


def test_a_debit_keeps_its_use_for_days_and_a_refused_one_puts_the_code_back():
    code = code_of(percent=10, total_limit=1)
    payment = open_discounted(1000, codes=[code])
    record_processing(evidence_for(payment))
    assert (used(code), payment.order.cart.discounts.count()) == (1, 0)
    payment.refresh_from_db()
    record_refused_debit(payment)
    assert (used(code), payment.order.cart.discounts.count()) == (0, 1)


def test_the_database_refuses_what_exceeds_a_limit():
    code = code_of(percent=10, total_limit=1)
    payment, other = open_discounted(1000, codes=[code]), open_order()
    fields = {"currency": "GBP", "discount_minor": 1}
    with pytest.raises(IntegrityError, match="discount_code_within_its_limit"), transaction.atomic():
        Redemption.objects.create(code=code, order=other.order, user=other.order.user, **fields)
    once = code_of(percent=10, student_limit=1)
    Redemption.objects.create(code=once, order=other.order, user=payment.order.user, **fields)
    settle_payment(evidence_for(payment))
    mine = open_order(user=payment.order.user)
    with pytest.raises(IntegrityError, match="as often as one person may"), transaction.atomic():
        Redemption.objects.create(code=once, order=mine.order, user=payment.order.user, **fields)
    Redemption.objects.all().delete()
    DiscountCode.objects.update(used=0)


def test_a_guests_code_moves_with_their_cart():
    code = code_of(percent=10)
    reference = sample_offer(Money(1000, "GBP"))
    line = add_to_cart(Item(domain="sample", reference=reference), buyer_id=None, cart=None, currency="GBP")
    guest = line.cart
    enter_code(cart=guest, text=code.code)
    user = UserFactory()
    merge_guest_cart(guest=guest, buyer_id=user.pk)
    assert price_cart(Cart.objects.get(user=user)).discount == Money(100, "GBP")


def test_entering_and_removing_a_code_closes_an_open_page():
    code = code_of(percent=10)
    payment = open_order(sample_offer(Money(1000, "GBP")))
    cart = payment.order.cart
    enter_code(cart=cart, text=code.code)
    payment.refresh_from_db()
    assert payment.close_requested_at
    discounted = open_discounted(1000, codes=[code])
    assert remove_code(cart=discounted.order.cart, code_id=code.pk)
    discounted.refresh_from_db()
    assert discounted.close_requested_at
    assert not remove_code(cart=discounted.order.cart, code_id=code.pk)


def test_codes_are_counted_and_one_is_entered_once():
    cart = discounted_cart(100_000)
    codes = [code_of(percent=1, is_stackable=True) for _ in range(6)]
    for code in [*codes[:5], codes[0]]:
        enter_code(cart=cart, text=code.code)
    assert cart.discounts.count() == 5
    with pytest.raises(CodeRefused, match="5 codes at most"):
        enter_code(cart=cart, text=codes[5].code)


class TestFree:
    def test_a_cart_that_costs_nothing_is_delivered_without_stripe(self):
        code = code_of(percent=100, total_limit=1)
        cart = discounted_cart(3000, codes=[code])
        digest = price_cart(cart).digest
        payment = start_checkout(user=cart.user, cart=cart, agreed_digest=digest)
        assert payment.has_succeeded
        assert (payment.amount_minor, payment.stripe_session_id, payment.session_request) == (0, None, {})
        line = payment.order.lines.get()
        assert (payment.order.state, line.state) == ("completed", "fulfilled")
        assert (states(code), used(code)) == ([Redemption.State.CONFIRMED], 1)
        assert not cart.lines.exists()
        # a second click
        assert start_checkout(user=cart.user, cart=cart, agreed_digest=digest) == payment
        assert SAMPLE.calls["fulfil", line.reference] == 1
        with pytest.raises(CartEmpty):
            start_checkout(user=cart.user, cart=cart, agreed_digest="other")

    def test_a_voucher_larger_than_the_cart_leaves_nothing_to_pay(self):
        payment = paid_discounted(3000, codes=[code_of(off=[Money(4500, "GBP")])])
        assert (payment.order.discount_minor, payment.order.total_minor) == (3000, 0)

    def test_a_place_that_is_gone_leaves_the_cart_and_the_code_as_they_were(self):
        code = code_of(percent=100, total_limit=1)
        cart = discounted_cart(3000, codes=[code])
        SAMPLE.fails_with = RuntimeError("no")
        with pytest.raises(RuntimeError):
            prepare(cart)
        assert not Order.objects.exists()
        assert (used(code), cart.lines.count(), cart.discounts.count()) == (0, 1, 1)


def test_a_price_page_asks_the_same_number_of_questions_for_many_codes(django_assert_max_num_queries):
    codes = [code_of(percent=1, is_stackable=True) for _ in range(5)]
    cart = discounted_cart(10_000, codes=codes)
    with django_assert_max_num_queries(6):
        price_cart(cart)


def test_numbers_of_new_codes_fit_the_rule():
    assert re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{2,39}", code_of(percent=1).code)
