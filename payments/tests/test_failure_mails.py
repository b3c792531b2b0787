"""A failed payment sends one mail for each way in which it failed, and the mail says what was done."""

import pytest

from money import Money
from notifications.delivery import render
from notifications.models import Mail
from payments.models import CartLine, Payment
from payments.outcomes import record_refused_debit
from payments.tests.factories import event_of, intent_object, open_order, sample_offer, session_object
from payments.tests.test_settlement import completed, receive

pytestmark = pytest.mark.django_db
DECLINED = {
    "status": "requires_payment_method",
    "last_payment_error": {"type": "card_error", "message": "Your card was declined."},
}


def decline(payment):
    receive(event_of("payment_intent.payment_failed", intent_object(payment, **DECLINED)))


def refuse_debit(payment):
    receive(
        completed(payment, payment_status="unpaid"),
        event_of("checkout.session.async_payment_failed", session_object(payment, payment_status="unpaid")),
    )


def mails_about(payment):
    return list(Mail.objects.filter(key__startswith=f"payment:{payment.pk}:").order_by("pk"))


def leave(payment):
    """The student closes the page, and Stripe expires it."""
    receive(event_of("checkout.session.expired", session_object(payment, status="expired", payment_status="unpaid")))


def test_a_declined_card_is_mailed_once_and_only_after_the_student_left_without_paying():
    payment = open_order()
    decline(payment)
    decline(payment)
    assert not mails_about(payment)
    leave(payment)
    leave(payment)
    [mail] = mails_about(payment)
    assert "Your card was declined." in render(mail).text
    assert "Your cart still has everything" in render(mail).text


def test_no_failure_is_mailed_to_students_who_paid_with_another_card_or_never_tried():
    paid, never_tried = open_order(), open_order()
    decline(paid)
    receive(completed(paid))
    leave(paid)
    leave(never_tried)
    assert not mails_about(paid)
    assert not mails_about(never_tried)


def test_a_refused_debit_is_mailed_even_after_a_declined_card():
    payment = open_order()
    decline(payment)
    refuse_debit(payment)
    [mail] = mails_about(payment)
    assert mail.key.endswith(":debit-refused")
    assert "cancelled" in render(mail).text
    assert "in your cart again" in render(mail).text


def test_each_failed_payment_of_a_student_sends_its_own_mail():
    first, second = open_order(), open_order()
    for payment in (first, second):
        decline(payment)
        leave(payment)
    assert len(mails_about(first)) == len(mails_about(second)) == 1


def refused_with_this_in_the_cart(*prices, ordered=2):
    """Refuse a debit after the student added other items to the cart; returns the rendered mail and the cart's lines."""
    payment = open_order(*(sample_offer() for _ in range(ordered)))
    receive(completed(payment, payment_status="unpaid"))
    cart = payment.order.cart
    for price in prices:
        cart.refresh_from_db()
        cart.currency = price.currency
        cart.save()
        CartLine.objects.create(
            cart=cart, domain="sample", reference=sample_offer(price), title="Later", seen_unit_minor=price.minor
        )
    record_refused_debit(Payment.objects.get(pk=payment.pk))
    return render(mails_about(payment)[0]), cart.lines.count()


def test_nothing_is_put_back_into_a_cart_in_another_currency_and_the_mail_says_so():
    mail, lines = refused_with_this_in_the_cart(Money(900, "EUR"))
    assert lines == 1
    for body in (mail.text, mail.html):
        assert "None of it was put back into your cart" in body
        assert "in your cart again" not in body


def test_the_mail_says_so_if_the_cart_has_no_room_for_everything(monkeypatch):
    monkeypatch.setattr("payments.cart.LINES_AT_MOST", 2)
    mail, lines = refused_with_this_in_the_cart(Money(900, "GBP"))
    assert lines == 2
    assert "Not everything was put back" in mail.text


def test_everything_is_put_back_into_a_cart_with_other_items_in_the_same_currency():
    mail, lines = refused_with_this_in_the_cart(Money(900, "GBP"))
    assert lines == 3
    assert "Everything you ordered is in your cart again" in mail.text
