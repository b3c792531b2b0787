"""Answers to disputes reach Stripe once, whatever is lost, and say what became of them."""

import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.tests.factories import UserFactory
from jobs.runner import drain
from ledger.entries import AccountKind
from notifications.models import Alert
from payments.disputes import gateway
from payments.disputes.answers import (
    AnswerNotPossible,
    accept_dispute,
    add_file,
    evidence_digest,
    remove_file,
    save_draft,
    submit_evidence,
)
from payments.disputes.evidence_fields import LARGEST_TOGETHER, LONGEST_TEXT
from payments.disputes.evidence_files import read_evidence_file
from payments.disputes.prefill import propose_texts
from payments.disputes.recording import record_dispute
from payments.models import Dispute, DisputeAnswer, EvidenceFile
from payments.refunds.plan import OverAllLines
from payments.tests.disputing import Case, book, of_teacher
from payments.tests.factories import paid_order, refunded
from payments.tests.test_dispute_events import decide, disputed_at_stripe, teacher_of, wait_for
from payments.tests.test_disputes import confirmed, pounds

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 a page"


@pytest.fixture(autouse=True)
def private_folder(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path


@pytest.fixture
def staff():
    return UserFactory()


def recorded(sandbox, method="pm_card_createDispute"):
    """A dispute at the sandbox, recorded here."""
    _, [at_stripe] = disputed_at_stripe(sandbox, method)
    return record_dispute(gateway.retrieve_dispute(at_stripe["id"])).dispute


def write(dispute, staff, **texts):
    save_draft(dispute_id=dispute.pk, texts=texts or {"uncategorized_text": "They came."}, by_id=staff.pk)


def submit(dispute, staff, **changes):
    fields = {"dispute_id": dispute.pk, "by_id": staff.pk, "seen": evidence_digest(dispute), **changes}
    return submit_evidence(**fields)


def picture(kind="PNG"):
    content = io.BytesIO()
    Image.new("RGB", (4, 4), "green").save(content, kind)
    return content.getvalue()


def attach(dispute, staff, field="service_documentation", content=PDF, name="list.pdf"):
    checked = read_evidence_file(SimpleUploadedFile(name, content))
    return add_file(dispute_id=dispute.pk, field=field, content=checked, by_id=staff.pk)


# --- Sending ----------------------------------------------------------------------------------------------------------


def test_evidence_with_files_is_sent_and_wins(stripe_sandbox, staff):
    dispute = recorded(stripe_sandbox)
    write(dispute, staff, product_description="Three lessons", uncategorized_text="winning_evidence")
    attach(dispute, staff)
    attach(dispute, staff, field="receipt", content=picture(), name="../../receipt.jpeg")
    answer = submit(dispute, staff, note="Teacher has a list")
    assert (answer.status, answer.decided_by, answer.note) == ("queued", staff, "Teacher has a list")
    drain(DisputeAnswer, seconds=20)
    answer.refresh_from_db()
    dispute.refresh_from_db()
    assert (answer.status, answer.state, bool(answer.sent_at)) == ("sent", "done", True)
    assert dispute.submission_count == 1
    at_stripe = stripe_sandbox.get(f"disputes/{dispute.stripe_dispute_id}")
    assert at_stripe["evidence"]["product_description"] == "Three lessons"
    assert at_stripe["metadata"] == {"answer": answer.idempotency_key}
    names = {file["field"]: file["name"] for file in answer.files}
    assert names == {"service_documentation": "list.pdf", "receipt": "receipt.png"}
    for file in answer.files:
        assert at_stripe["evidence"][file["field"]] == file["stripe_file_id"]
        stored = stripe_sandbox.get(f"files/{file['stripe_file_id']}")
        assert (stored["purpose"], stored["filename"]) == ("dispute_evidence", file["name"])
    wait_for(lambda: stripe_sandbox.get(f"disputes/{dispute.stripe_dispute_id}")["status"] == "won")
    record_dispute(gateway.retrieve_dispute(dispute.stripe_dispute_id))
    assert of_teacher(teacher_of(dispute.payment)) == 9000


@pytest.mark.parametrize("path", ["/v1/files", "/v1/disputes/*"])
def test_an_answer_whose_reply_was_lost_is_sent_once(stripe_sandbox, staff, path):
    dispute = recorded(stripe_sandbox)
    write(dispute, staff)
    attach(dispute, staff)
    answer = submit(dispute, staff)
    stripe_sandbox.fault("drop_reply", path=path, count=3)
    drain(DisputeAnswer, seconds=10)
    answer.refresh_from_db()
    assert (answer.status, answer.state) == ("queued", "waiting")
    stripe_sandbox.switch("clock", advance=25 * 3600)  # Stripe has forgotten the idempotency keys
    assert answer.retry_now()
    drain(DisputeAnswer, seconds=20)
    answer.refresh_from_db()
    at_stripe = stripe_sandbox.get(f"disputes/{dispute.stripe_dispute_id}")
    assert (answer.status, at_stripe["evidence_details"]["submission_count"]) == ("sent", 1)
    assert at_stripe["status"] == "under_review"


def test_an_answer_given_in_the_dashboard_meanwhile_is_recognised(stripe_sandbox, staff):
    dispute = recorded(stripe_sandbox)
    write(dispute, staff)
    answer = submit(dispute, staff)
    decide(stripe_sandbox, dispute.stripe_dispute_id, "losing_evidence")
    drain(DisputeAnswer, seconds=10)
    answer.refresh_from_db()
    dispute.refresh_from_db()
    assert (answer.status, dispute.status) == ("refused", "lost")
    assert "answered or decided at Stripe before" in answer.refusal
    assert Alert.objects.filter(key=f"dispute-answer-refused:{answer.pk}").exists()


def test_a_refusal_is_shown_in_stripes_words_and_can_be_corrected(stripe_sandbox, staff):
    dispute = recorded(stripe_sandbox)
    write(dispute, staff)
    file = attach(dispute, staff)
    EvidenceFile.objects.filter(pk=file.pk).update(stripe_file_id="file_of_nobody")
    answer = submit(dispute, staff)
    drain(DisputeAnswer, seconds=10)
    answer.refresh_from_db()
    assert answer.state == "parked" or (answer.status == "refused" and "file_of_nobody" in answer.refusal)
    dispute.refresh_from_db()
    assert dispute.needs_answer


def test_accepting_loses_the_dispute_at_once(stripe_sandbox, staff):
    dispute = recorded(stripe_sandbox)
    answer = accept_dispute(dispute_id=dispute.pk, by_id=staff.pk, note="They are right")
    stripe_sandbox.fault("drop_reply", path="/v1/disputes/*/close", count=3)
    drain(DisputeAnswer, seconds=10)
    answer.refresh_from_db()
    assert answer.retry_now()
    drain(DisputeAnswer, seconds=10)
    answer.refresh_from_db()
    dispute.refresh_from_db()
    assert (answer.status, dispute.status, of_teacher(teacher_of(dispute.payment))) == ("sent", "lost", 0)
    assert book(AccountKind.DISPUTE_FEES) == 1500


def test_an_inquiry_is_answered_but_not_accepted(stripe_sandbox, staff):
    dispute = recorded(stripe_sandbox, "pm_card_createDisputeInquiry")
    with pytest.raises(AnswerNotPossible, match="refund the order"):
        accept_dispute(dispute_id=dispute.pk, by_id=staff.pk)
    write(dispute, staff)
    submit(dispute, staff)
    drain(DisputeAnswer, seconds=10)
    dispute.refresh_from_db()
    assert dispute.status == "warning_under_review"


# --- Deciding ---------------------------------------------------------------------------------------------------------


def open_dispute():
    return Case(paid_order(10000)).open()


def test_one_answer_at_a_time_and_none_once_it_is_over(staff):
    payment = paid_order(10000)
    case = Case(payment)
    dispute = case.open()
    write(dispute, staff)
    submit(dispute, staff)
    for attempt in (
        lambda: submit(dispute, staff),
        lambda: accept_dispute(dispute_id=dispute.pk, by_id=staff.pk),
        lambda: write(dispute, staff),
        lambda: attach(dispute, staff),
        lambda: remove_file(dispute_id=dispute.pk, field="receipt"),
    ):
        with pytest.raises(AnswerNotPossible, match="being sent"):
            attempt()
    DisputeAnswer.objects.update(status="refused")
    case.lose()
    with pytest.raises(AnswerNotPossible, match="takes no answer: lost"):
        submit(dispute, staff)


def test_what_changed_since_it_was_read_is_not_sent(staff):
    dispute = open_dispute()
    write(dispute, staff)
    seen = evidence_digest(dispute)
    attach(dispute, staff)
    with pytest.raises(AnswerNotPossible, match="has changed"):
        submit(dispute, staff, seen=seen)
    submit(dispute, staff)


def test_nothing_is_no_evidence(staff):
    dispute = open_dispute()
    with pytest.raises(AnswerNotPossible, match="no evidence yet"):
        submit(dispute, staff)
    write(dispute, staff, uncategorized_text="   ")
    with pytest.raises(AnswerNotPossible, match="no evidence yet"):
        submit(dispute, staff)


def test_texts_have_stripes_limits(staff):
    dispute = open_dispute()
    with pytest.raises(AnswerNotPossible, match="20,000"):
        write(dispute, staff, uncategorized_text="x" * (LONGEST_TEXT + 1))
    fields = ["product_description", "access_activity_log", "uncategorized_text", "refund_policy_disclosure"]
    fields += ["refund_refusal_explanation", "cancellation_policy_disclosure", "duplicate_charge_explanation"]
    with pytest.raises(AnswerNotPossible, match="150,000"):
        write(dispute, staff, **dict.fromkeys([*fields, "billing_address"], "x" * LONGEST_TEXT))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"GIF89a....", "cannot read"),
        (b"<html>", "cannot read"),
        (b"\x89PNG\r\n\x1a\n and no picture", "damaged"),
        (picture("JPEG")[:20], "damaged"),
        (b"%PDF-" + b"x" * LARGEST_TOGETHER, r"larger than 4\.5 MB"),
    ],
)
def test_files_of_the_wrong_kind_or_size_are_refused(content, words):
    with pytest.raises(ValidationError, match=words):
        read_evidence_file(SimpleUploadedFile("a.pdf", content, content_type="application/pdf"))


def test_the_content_names_the_kind():
    names = {content: read_evidence_file(SimpleUploadedFile("x.exe", content)).name for content in (PDF, picture())}
    assert names == {PDF: "x.pdf", picture(): "x.png"}


def test_a_file_replaces_the_fields_former_one_and_all_together_are_limited(staff, settings):
    dispute = open_dispute()
    first = attach(dispute, staff)
    second = attach(dispute, staff, content=PDF + b"2")
    assert list(dispute.evidence_files.values_list("pk", flat=True)) == [second.pk]
    assert first.idempotency_key != second.idempotency_key
    big = ContentFile(b"%PDF-" + b"x" * (LARGEST_TOGETHER - 10), name="big.pdf")
    with pytest.raises(AnswerNotPossible, match=r"4\.5 MB"):
        add_file(dispute_id=dispute.pk, field="receipt", content=big, by_id=staff.pk)
    remove_file(dispute_id=dispute.pk, field="service_documentation")
    add_file(dispute_id=dispute.pk, field="receipt", content=big, by_id=staff.pk)


# --- What is proposed -------------------------------------------------------------------------------------------------


def test_the_texts_proposed_say_what_the_site_knows():
    payment = paid_order(6000, 4000)
    confirmed(refunded(payment, OverAllLines(pounds(1000))))
    dispute = Case(payment, 9000).open()
    texts = propose_texts(dispute)
    line = payment.order.lines.first()
    assert texts["customer_email_address"] == payment.order.user.email
    assert payment.order.number in texts["product_description"]
    assert line.title in texts["product_description"]
    assert line.teacher.display_name in texts["product_description"]
    assert f"Delivered: {line.title}." in texts["access_activity_log"]
    assert "£10.00" in texts["refund_refusal_explanation"]
    assert "uncategorized_text" not in texts
    assert Dispute.objects.get().claimed_minor == 9000
