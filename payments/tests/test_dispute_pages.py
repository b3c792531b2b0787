"""The pages on which staff see disputes and answer them, and decide on fraud warnings."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import UserFactory
from payments.disputes.answers import evidence_digest
from payments.disputes.fraud_warnings import record_fraud_warning
from payments.disputes.stripe_objects import StripeFraudWarning
from payments.models import Dispute, DisputeAnswer, EvidenceDraft, FraudWarning, Refund
from payments.refunds.plan import OverAllLines
from payments.tests.disputing import Case
from payments.tests.factories import paid_order, refunded
from payments.tests.test_dispute_answers import PDF
from payments.tests.test_disputes import confirmed, pounds

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private_folder(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff():
    return signed_in(User.objects.create_superuser("staff@example.org", "correct horse battery"))


def in_group(name):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return signed_in(user)


def due_in(days, payment=None, **changes):
    return Case(
        payment or paid_order(10000), due_by=timezone.now() + timedelta(days=days, hours=1, minutes=5), **changes
    ).open()


def page(client, address, **query):
    answer = client.get(address, query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def address(dispute, name="change"):
    return f"/admin/payments/dispute/{dispute.pk}/{name}/"


def test_a_disputes_page_says_what_to_do_by_when_and_what_is_at_stake(staff):
    payment = paid_order(6000, 4000)
    dispute = due_in(6, payment)
    text = page(staff, address(dispute))
    teacher = payment.order.lines.first().teacher.display_name
    for expected in (
        "Answer the dispute",
        "6\xa0days, 1\xa0hour left",
        "did not make this payment",
        "£100.00",
        "£15.00",
        f"Held from {teacher}",
        "£54.00",
        payment.order.number,
        "Write the evidence",
        "Accept the loss",
    ):
        assert expected in text, expected


@pytest.mark.parametrize(
    ("status", "heading", "has_button"),
    [
        ("warning_needs_response", "The bank asks before it takes the money", True),
        ("under_review", "The bank is deciding", False),
        ("won", "Won", False),
        ("lost", "The bank decided for the cardholder", False),
        ("arbitration", "Status at Stripe: arbitration", False),
    ],
)
def test_each_status_is_explained(staff, status, heading, has_button):
    dispute = Case(paid_order(10000), due_by=timezone.now() + timedelta(days=6)).report(status)
    text = page(staff, address(dispute))
    assert heading in text
    assert ("Write the evidence" in text) == has_button
    assert "Accept the loss" not in text


def test_a_passed_due_date_is_said(staff):
    dispute = Case(paid_order(10000), due_by=timezone.now() - timedelta(days=2, hours=1)).open()
    text = page(staff, address(dispute))
    assert "The time to answer is over" in text
    assert "2\xa0days, 1\xa0hour ago" in text


def test_what_was_refunded_before_is_shown(staff):
    payment = paid_order(10000)
    confirmed(refunded(payment, OverAllLines(pounds(2500))))
    text = page(staff, address(due_in(6, payment)))
    assert "Already refunded:" in text
    assert "£25.00 on" in text
    assert "borne by the platform" in text


def test_the_list_begins_with_what_is_due_soonest_and_filters(staff):
    late, soon = due_in(9), due_in(2)
    decided = Case(paid_order(10000))
    decided.open()
    lost = decided.lose()
    text = page(staff, "/admin/payments/dispute/")
    places = [text.index(each.payment.order.number) for each in (soon, late, lost)]
    assert places == sorted(places)
    for name, shown in (("to_answer", (soon, late)), ("under_review", ()), ("won", ()), ("lost", (lost,))):
        text = page(staff, "/admin/payments/dispute/", outcome=name)
        assert {each for each in (soon, late, lost) if each.payment.order.number in text} == set(shown)
    assert page(staff, "/admin/payments/dispute/", q=soon.payment.order.number).count(soon.payment.order.number)


@pytest.mark.parametrize("name", ["dispute", "fraudwarning"])
def test_lists_take_the_same_number_of_queries_for_1_and_10_rows(staff, name):
    counts = []
    for rows in (1, 9):
        for _ in range(rows):
            warned(due_in(3).payment)
        page(staff, f"/admin/payments/{name}/")
        with CaptureQueriesContext(connection) as queries:
            page(staff, f"/admin/payments/{name}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_lost_dispute_is_no_longer_left_to_the_bank():
    payment = paid_order(10000)
    case, student = Case(payment, 4000), signed_in(payment.order.user)
    case.open()
    case.lose()
    shown = page(student, payment.order.get_absolute_url())
    assert "the bank decides about it" not in shown
    assert "Partially disputed" in page(student, "/my/orders/")


def test_the_order_shows_that_it_is_disputed_to_student_and_staff(staff):
    payment = paid_order(10000)
    order = payment.order
    student = signed_in(order.user)
    assert "isputed" not in page(student, "/my/orders/") + page(student, order.get_absolute_url())
    case = Case(payment, 4000)
    dispute = case.open()
    assert "Partially disputed" in page(student, "/my/orders/")
    assert "£40.00 of this payment is disputed" in page(student, order.get_absolute_url())
    assert "Partially disputed" in page(staff, "/admin/payments/order/")
    assert "Partially disputed" in page(staff, "/admin/payments/payment/")
    assert address(dispute) in page(staff, f"/admin/payments/order/{order.pk}/change/")
    case.win()
    assert "isputed" not in page(student, "/my/orders/")


# --- Evidence ---------------------------------------------------------------------------------------------------------


def form_of(staff, dispute, **changes):
    """The form's fields as the page shows them."""
    form = staff.get(address(dispute, "evidence")).context["form"]
    return {**{bound.name: bound.value() or "" for bound in form.text_rows}, **changes}


def test_evidence_is_prefilled_saved_read_through_and_sent(staff):
    dispute = due_in(6)
    fields = form_of(staff, dispute)
    assert fields["customer_email_address"] == dispute.payment.order.user.email
    attached = SimpleUploadedFile("list.pdf", PDF)
    answer = staff.post(
        address(dispute, "evidence"),
        {**fields, "uncategorized_text": "They <b>came</b>.", "service_documentation": attached, "review": "1"},
    )
    assert answer.url == address(dispute, "submit")
    assert not DisputeAnswer.objects.exists()
    text = page(staff, answer.url)
    assert "They &lt;b&gt;came&lt;/b&gt;." in text
    assert "list.pdf" in text
    seen = evidence_digest(dispute)
    answer = staff.post(answer.url, {"note": "Has a list", "seen": seen}, follow=True)
    assert "being sent to the bank" in answer.content.decode()
    queued = DisputeAnswer.objects.get()
    assert (queued.kind, queued.note, queued.decided_by.email) == ("evidence", "Has a list", "staff@example.org")
    assert queued.texts["uncategorized_text"] == "They <b>came</b>."
    text = page(staff, address(dispute))
    assert "The answer is being sent" in text
    assert "Has a list" in text
    assert "Write the evidence" not in text
    assert staff.get(address(dispute, "evidence")).status_code == 302
    assert page(staff, f"/admin/payments/disputeanswer/{queued.pk}/change/")


def test_a_saved_draft_is_kept_and_its_file_can_be_removed(staff):
    dispute = due_in(6)
    attached = SimpleUploadedFile("list.pdf", PDF)
    fields = form_of(staff, dispute, product_description="A lesson", receipt=attached)
    assert staff.post(address(dispute, "evidence"), fields).url == address(dispute, "evidence")
    text = page(staff, address(dispute, "evidence"))
    assert "Last saved" in text
    assert "A lesson" in text
    assert "list.pdf" in text
    staff.post(address(dispute, "evidence"), form_of(staff, dispute, remove_receipt="on"))
    assert not dispute.evidence_files.exists()
    assert EvidenceDraft.objects.get().texts["product_description"] == "A lesson"


def test_a_wrong_file_is_refused_at_its_field_and_nothing_is_saved(staff):
    dispute = due_in(6)
    fields = form_of(staff, dispute, receipt=SimpleUploadedFile("a.pdf", b"<html>"))
    answer = staff.post(address(dispute, "evidence"), fields)
    assert "The bank cannot read this file" in answer.content.decode()
    assert not EvidenceDraft.objects.exists()


def test_evidence_that_changed_meanwhile_is_not_sent(staff):
    dispute = due_in(6)
    staff.post(address(dispute, "evidence"), form_of(staff, dispute))
    seen = evidence_digest(dispute)
    staff.post(address(dispute, "evidence"), form_of(staff, dispute, product_description="Another"))
    answer = staff.post(address(dispute, "submit"), {"seen": seen}, follow=True)
    assert "has changed since you saw it" in answer.content.decode()
    assert not DisputeAnswer.objects.exists()


def test_accepting_needs_a_reason_and_says_what_is_lost(staff):
    dispute = due_in(6)
    assert "£90.00" in page(staff, address(dispute, "accept"))
    assert "required" in staff.post(address(dispute, "accept"), {"note": ""}).content.decode()
    assert not DisputeAnswer.objects.exists()
    staff.post(address(dispute, "accept"), {"note": "They are right"})
    assert DisputeAnswer.objects.get().kind == "acceptance"
    again = staff.post(address(dispute, "accept"), {"note": "Once more"}, follow=True)
    assert "An answer is being sent." in again.content.decode()
    assert DisputeAnswer.objects.count() == 1


@pytest.mark.parametrize("name", ["evidence", "submit", "accept"])
def test_answering_needs_its_permission(name):
    dispute = due_in(6)
    assert in_group("finance").get(address(dispute, name)).status_code == 200
    support = in_group("support")
    assert support.get(address(dispute)).status_code == 200
    assert support.get(address(dispute, name)).status_code == 403
    assert support.post(address(dispute, name), {"note": "x"}).status_code == 403
    assert signed_in(UserFactory(is_staff=True)).get(address(dispute, name)).status_code == 404
    assert in_group("finance").get(f"/admin/payments/dispute/{dispute.pk + 1}/{name}/").status_code == 404
    assert not DisputeAnswer.objects.exists()


def test_nothing_of_a_dispute_can_be_typed_in_or_deleted(staff):
    dispute = due_in(6)
    assert staff.get("/admin/payments/dispute/add/").status_code == 403
    assert staff.post(address(dispute), {"status": "won"}).status_code == 403
    assert staff.post(address(dispute, "delete"), {"post": "yes"}).status_code == 403
    assert Dispute.objects.get().status == "needs_response"


# --- Fraud warnings ---------------------------------------------------------------------------------------------------


def warned(payment):
    return record_fraud_warning(
        StripeFraudWarning(
            id=f"issfr_{payment.pk}",
            charge_id="ch_1",
            payment_intent_id=payment.stripe_payment_intent_id,
            payment_reference="",
            fraud_type="misc",
            is_actionable=True,
            warned_at=timezone.now(),
        )
    )


def test_a_warning_is_refunded_with_one_click_and_shown_as_dealt_with(staff):
    payment = paid_order(6000, 4000)
    warning = warned(payment)
    change = f"/admin/payments/fraudwarning/{warning.pk}/change/"
    text = page(staff, change)
    for expected in ("Refund it, or let it stand", "£100.00", "£10.00", "£54.00", "£36.00"):
        assert expected in text
    assert payment.order.number in page(staff, "/admin/payments/fraudwarning/", decision="open")
    refund_address = f"/admin/payments/fraudwarning/{warning.pk}/refund/"
    assert staff.get(refund_address).status_code == 405
    text = staff.post(refund_address, follow=True).content.decode()
    assert "£100.00 is being refunded." in text
    assert "Dealt with" in text
    staff.post(refund_address)
    refund = Refund.objects.get()
    assert (refund.reason, refund.requested_by.email) == ("fraud_warning", "staff@example.org")
    assert payment.order.number in page(staff, "/admin/payments/fraudwarning/", decision="settled")
    assert payment.order.number not in page(staff, "/admin/payments/fraudwarning/", decision="open")


def test_a_warning_about_a_disputed_payment_cannot_be_refunded(staff):
    payment = paid_order(10000)
    warning = warned(payment)
    Case(payment).open()
    assert "Refund all that is left" not in page(staff, f"/admin/payments/fraudwarning/{warning.pk}/change/")
    text = staff.post(f"/admin/payments/fraudwarning/{warning.pk}/refund/", follow=True).content.decode()
    assert "The cardholder disputes this payment by now." in text
    assert not Refund.objects.exists()


def test_refunding_a_warning_needs_the_permission_to_refund():
    warning = warned(paid_order(10000))
    refund_address = f"/admin/payments/fraudwarning/{warning.pk}/refund/"
    assert in_group("support").post(refund_address).status_code == 403
    assert signed_in(UserFactory(is_staff=True)).post(refund_address).status_code == 404
    assert in_group("finance").post(refund_address).status_code == 302
    assert FraudWarning.objects.get().refund.requested_by
