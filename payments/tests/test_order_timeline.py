"""The order's page in the admin: the customer, and everything that happened, in order, with links."""

import re

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import UserFactory
from jobs.runner import drain
from notifications.models import Mail
from notifications.outbox import queue_mail
from payments.models import Order, Payment, WebhookEvent
from payments.settlement import settle_payment
from payments.tests.disputing import Case
from payments.tests.factories import event_of, evidence_for, open_order, refunded, session_object
from payments.webhook.inbox import store_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return User.objects.create_superuser("boss@example.org", "correct horse battery", full_name="Bo Staff")


def page_of(order, by):
    client = Client()
    client.force_login(by)
    return client.get(reverse("admin:payments_order_change", args=[order.pk])).content.decode()


def entries_of(page):
    """The texts of the timeline, one string an entry."""
    history = page.partition('<ol class="timeline">')[2].partition("</ol>")[0]
    return [
        " ".join(re.sub(r"<[^>]+>", " ", item).replace("&nbsp;", " ").split())
        for item in re.findall(r"<li>(.*?)</li>", history, re.DOTALL)
    ]


def bought():
    payment = open_order()
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    return payment


def test_the_page_names_the_customer_and_links_to_them(boss):
    order = bought().order
    User.objects.filter(pk=order.user_id).update(full_name="Ada Byron")
    page = page_of(order, boss)
    assert "Ada Byron" in page
    assert order.user.email in page
    assert reverse("admin:accounts_user_change", args=[order.user_id]) in page


def test_a_paid_order_is_told_in_order_with_links_to_both_sides(boss):
    payment = open_order()
    store_event(event_of("checkout.session.completed", session_object(payment)), source="webhook")
    drain(WebhookEvent, seconds=5)
    payment.refresh_from_db()
    page = page_of(payment.order, boss)
    texts = entries_of(page)
    steps = ["Ordered for £25.00", "Payment page for £25.00", "Payment of £25.00 Paid", "Delivered"]
    places = [next(number for number, text in enumerate(texts) if step in text) for step in steps]
    assert places == sorted(places)
    assert any("Stripe reported: payment page completed" in text for text in texts)
    event = WebhookEvent.objects.get()
    assert reverse("admin:payments_webhookevent_change", args=[event.pk]) in page
    assert reverse("admin:payments_payment_change", args=[payment.pk]) in page
    assert f"/{payment.stripe_payment_intent_id}" in page
    assert f"/{event.stripe_id}" in page


def test_a_payment_that_succeeded_after_a_declined_card_says_paid_and_nothing_else(boss):
    payment = bought()
    # As some rows from earlier releases are.
    Payment.objects.filter(pk=payment.pk).update(failure_message="Your card was declined.")
    client = Client()
    client.force_login(boss)
    for page in (
        page_of(payment.order, boss),
        client.get(reverse("admin:payments_payment_change", args=[payment.pk])).content.decode(),
        client.get(reverse("admin:payments_payment_changelist")).content.decode(),
    ):
        # The list's filter offers the word as a link.
        assert "declined" not in re.sub(r'title="declined".*?</a>', "", page.lower(), flags=re.DOTALL)
        assert "Paid" in page
    assert payment.state == Payment.State.WAITING
    listed = client.get(reverse("admin:payments_payment_changelist")).content.decode()
    assert not re.search(r">\s*Waiting\s*<", listed.partition("<tbody")[2].rpartition("</tbody>")[0])


def test_a_declined_card_is_told_with_the_banks_words(boss):
    payment = open_order()
    Payment.objects.filter(pk=payment.pk).update(status="failed", failure_message="Your card was declined.")
    texts = entries_of(page_of(payment.order, boss))
    assert any("Declined" in text and "Your card was declined." in text for text in texts)


def test_mails_to_the_customer_are_told_with_why_one_did_not_arrive(boss):
    payment = bought()
    paid = Mail.objects.get(key=f"order:{payment.order.number}:paid")
    Mail.objects.filter(pk=paid.pk).update(state="parked", last_error="Traceback\nSMTPRecipientsRefused: no such box")
    queue_mail(
        key="elsewhere:1",
        to=payment.order.user,
        template="workshops/mail/registration_confirmed",
        context={"order_number": payment.order.number},
    )
    queue_mail(key="other:1", to=payment.order.user, template="bookings/mail/request_declined", context={})
    page = page_of(payment.order, boss)
    mails = [text for text in entries_of(page) if "Email “" in text]
    assert len(mails) == 2
    [failed] = [text for text in mails if "Payment confirmed" in text]
    assert "failed" in failed
    assert "SMTPRecipientsRefused: no such box" in failed
    assert any("Registration confirmed" in text and "waiting" in text for text in mails)
    assert reverse("admin:notifications_mail_change", args=[paid.pk]) in page


def test_mails_of_other_orders_and_people_are_not_told(boss):
    payment = bought()
    other = bought()
    assert other.order.number not in " ".join(entries_of(page_of(payment.order, boss)))


def test_refunds_disputes_and_staff_actions_are_told(boss):
    payment = bought()
    refund = refunded(payment)
    page = page_of(payment.order, boss)
    assert any(f"Refund of {refund.amount}" in text for text in entries_of(page))
    assert reverse("admin:payments_refund_change", args=[refund.pk]) in page
    second = bought()
    dispute = Case(second).open()
    page = page_of(second.order, boss)
    assert any("Dispute of" in text and dispute.stripe_dispute_id in text for text in entries_of(page))
    assert dispute.get_admin_url() in page


def test_what_staff_did_in_the_admin_is_told(boss):
    payment = bought()
    LogEntry.objects.log_actions(boss.pk, [payment.order], CHANGE, change_message="Requested a refund of £5.00.")
    texts = entries_of(page_of(payment.order, boss))
    assert any("Bo Staff: Requested a refund of £5.00." in text for text in texts)


def test_the_page_takes_as_many_queries_for_twenty_events_and_mails_as_for_one(boss):
    payment = bought()
    counts = []
    client = Client()
    client.force_login(boss)
    for number in (1, 20):
        for _ in range(number):
            store_event(event_of("checkout.session.completed", session_object(payment)), source="webhook")
            context = {"order_number": payment.order.number}
            queue_mail(
                key=f"x:{Mail.objects.count()}", to=payment.order.user, template="payments/mail/x", context=context
            )
        WebhookEvent.objects.update(order=payment.order)
        client.get(reverse("admin:payments_order_change", args=[payment.order_id]))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("admin:payments_order_change", args=[payment.order_id]))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_staff_see_only_what_their_role_may_see():
    payment = bought()
    limited = UserFactory(is_staff=True)
    limited.user_permissions.set(Permission.objects.filter(codename="view_order"))
    page = page_of(payment.order, limited)
    assert not any("Email “" in text for text in entries_of(page))
    assert reverse("admin:accounts_user_change", args=[payment.order.user_id]) not in page
    assert Order.objects.get().number in page


def test_payments_are_filtered_by_the_words_of_the_list(boss):
    bought()
    open_order()
    client = Client()
    client.force_login(boss)
    page = client.get("/admin/payments/payment/", {"status__exact": "succeeded"})
    assert page.context["cl"].result_count == 1
    assert "Waiting for the student to pay" in page.content.decode()
