"""Delivery to the mail server, and what happens when it fails."""

import contextlib
import smtplib
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from jobs import runner
from jobs.models import DurableWork
from notifications import attachments, delivery
from notifications.attachments import Attachment, RenderedAttachment, register_renderer
from notifications.models import Alert, Mail
from notifications.outbox import mails_gathered, queue_mail, send_again

State = DurableWork.State


def make_due():
    Mail.objects.update(run_after=Now() - timedelta(seconds=1))


def test_a_queued_mail_is_sent_once_with_text_and_html(queue, deliver_due_mails, smtp, settings):
    mail = queue()
    deliver_due_mails()
    deliver_due_mails()
    (sent,) = smtp.taken
    assert sent["To"] == "student@mail.example"
    assert sent["From"] == settings.DEFAULT_FROM_EMAIL
    assert sent["Subject"] == f"[{settings.SITE_NAME}] Something happened"
    assert "order: L-1" in sent.get_body(("plain",)).get_content()
    assert "<h1>Something happened</h1>" in sent.get_body(("html",)).get_content()
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (State.DONE, 1)
    assert mail.sent_at is not None


def test_the_sent_texts_are_stored_in_the_row(queue, deliver_due_mails, mailoutbox):
    mail = queue()
    deliver_due_mails()
    mail.refresh_from_db()
    (sent,) = mailoutbox
    assert (mail.subject, mail.text_body, mail.html_body) == (sent.subject, sent.body, sent.alternatives[0][0])


def test_a_key_is_queued_once(queue):
    first = queue(title="First")
    assert queue(title="Second").pk == first.pk
    assert Mail.objects.get().context["title"] == "First"


def test_a_rollback_removes_the_queued_mail(queue):
    with transaction.atomic():
        queue()
        transaction.set_rollback(True)
    assert not Mail.objects.exists()


def test_gathered_mails_are_queued_in_one_statement(student, django_assert_num_queries):
    with django_assert_num_queries(1), mails_gathered():
        for number in range(10):
            queue_mail(key=f"mail:{number}", to=student, template="t", context={})
        queue_mail(key="mail:0", to=student, template="t", context={})
    assert Mail.objects.count() == 10


def test_a_block_that_raises_queues_nothing_and_does_not_affect_others(student):
    with mails_gathered():
        queue_mail(key="before", to=student, template="t", context={})
        with contextlib.suppress(ZeroDivisionError), mails_gathered():
            queue_mail(key="within", to=student, template="t", context={})
            raise ZeroDivisionError
        with mails_gathered():
            queue_mail(key="after", to=student, template="t", context={})
        assert not Mail.objects.exists()
    queue_mail(key="alone", to=student, template="t", context={})
    assert set(Mail.objects.values_list("key", flat=True)) == {"before", "after", "alone"}


def test_links_use_the_configured_address(queue, settings):
    settings.BASE_URL = "https://lectern.example"
    rendered = delivery.render(queue())
    assert 'href="https://lectern.example/admin/"' in rendered.html
    assert "https://lectern.example/admin/" in rendered.text


def test_callers_cannot_replace_the_sites_address(queue, settings):
    rendered = delivery.render(queue(base_url="https://evil.example"))
    assert "evil" not in rendered.html + rendered.text


def test_a_mail_is_written_in_the_language_of_its_reader(student, queue):
    student.language = "fr"
    mail = queue(to=student)
    assert mail.language == "fr"
    assert '<html lang="fr">' in delivery.render(mail).html


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ settings.SECRET_KEY }}",
        "{% load x %}",
        "O'Brien & Sons",
    ],
)
def test_a_malicious_name_is_escaped(queue, name, settings):
    rendered = delivery.render(queue(title=name))
    assert "<script>alert" not in rendered.html
    assert "<img" not in rendered.html
    assert settings.SECRET_KEY not in rendered.html + rendered.text
    assert name in rendered.text
    assert rendered.subject.endswith(name)


@pytest.mark.parametrize(
    "title", ["Hi\nBcc: all@mail.example", "Hi\r\nBcc: all@mail.example\r\n\r\nBody", "Hi\x00\u2028Bcc: x"]
)
def test_a_subject_cannot_add_headers(queue, deliver_due_mails, smtp, title):
    queue(title=title)
    deliver_due_mails()
    (sent,) = smtp.taken
    assert sent["Bcc"] is None
    assert "\n" not in sent["Subject"]


def test_a_subject_of_any_length_is_cut(queue, deliver_due_mails, smtp):
    mail = queue(title="word " * 200)
    deliver_due_mails()
    mail.refresh_from_db()
    assert mail.state == State.DONE
    assert len(mail.subject) <= 200


def test_attachments_arrive_and_their_names_cannot_add_headers(student, deliver_due_mails, smtp):
    calendar = "BEGIN:VCALENDAR\r\nSUMMARY:Leçon\r\nEND:VCALENDAR\r\n"
    queue_mail(
        key="with-file",
        to=student,
        template="notifications/mail/alert",
        context={"title": "Lesson", "alert_path": "/"},
        attachments=[Attachment(name='a/../"les\r\nX-Bad: 1son.ics', mime="text/calendar", text=calendar)],
    )
    deliver_due_mails()
    (sent,) = smtp.taken
    (attached,) = sent.iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    assert "SUMMARY:Leçon" in attached.get_content()
    assert attached["X-Bad"] is None
    assert "/" not in attached.get_filename()


@pytest.fixture
def queue_rendered(student, monkeypatch):
    """Queues a mail with a file that the given function renders."""

    def queue_with(render):
        monkeypatch.setattr(attachments, "_renderers", {})
        register_renderer("test.file", render)
        file = RenderedAttachment(name="file.pdf", mime="application/pdf", renderer="test.file", reference="L-1")
        words = {"title": "Paid", "alert_path": "/"}
        queue_mail(key="rendered", to=student, template="notifications/mail/alert", context=words, attachments=[file])
        return Mail.objects.get(key="rendered")

    return queue_with


def test_a_file_is_rendered_when_the_mail_is_sent_and_not_stored(queue_rendered, deliver_due_mails, smtp):
    mail = queue_rendered(lambda reference: b"%PDF of " + reference.encode())
    deliver_due_mails()
    (sent,) = smtp.taken
    (attached,) = sent.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("file.pdf", "application/pdf")
    assert attached.get_content() == b"%PDF of L-1"
    mail.refresh_from_db()
    assert "%PDF" not in str(mail.attachments)


def test_a_mail_waits_until_its_file_can_be_rendered(queue_rendered, deliver_due_mails, mailoutbox):
    troubles = [RuntimeError("disk full")]

    def render_once_it_can(reference):
        if troubles:
            raise troubles.pop()
        return b"%PDF"

    mail = queue_rendered(render_once_it_can)
    deliver_due_mails()
    mail.refresh_from_db()
    assert (mail.state, mailoutbox) == (State.WAITING, [])
    make_due()
    deliver_due_mails()
    assert mailoutbox[0].attachments[0].content == b"%PDF"


def test_a_renderer_can_be_registered_only_once_per_name(queue_rendered):
    queue_rendered(lambda reference: b"")
    with pytest.raises(ValueError, match=r"test\.file is already registered"):
        register_renderer("test.file", lambda reference: b"")


def test_after_a_day_without_mail_server_every_mail_is_sent_once(queue, deliver_due_mails, smtp_that_is_down):
    for number in range(3):
        queue(key=f"test:{number}")
    for _ in range(Mail.max_attempts - 1):
        make_due()
        deliver_due_mails()
    assert set(Mail.objects.values_list("state", flat=True)) == {State.WAITING}
    assert "ConnectionRefusedError" in Mail.objects.first().last_error
    smtp_that_is_down.start()
    make_due()
    deliver_due_mails()
    deliver_due_mails()
    assert len(smtp_that_is_down.taken) == 3
    assert set(Mail.objects.values_list("state", flat=True)) == {State.DONE}


def test_retries_last_longer_than_a_day_for_any_jitter(monkeypatch):
    monkeypatch.setattr("jobs.models.random.uniform", lambda low, high: low)
    waits = [Mail(attempts=attempt)._retry_delay() for attempt in range(1, Mail.max_attempts)]
    assert sum(waits, timedelta()) > timedelta(days=1)


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ({"RCPT": "550 no such person"}, State.PARKED),
        ({"RCPT": "450 mailbox busy"}, State.WAITING),
        ({"BODY": "554 not taken"}, State.PARKED),
        ({"BODY": "451 try later"}, State.WAITING),
        ({"MAIL": "550 sender not allowed"}, State.WAITING),
    ],
)
def test_only_permanently_refused_mails_are_parked(queue, deliver_due_mails, smtp, answers, state):
    smtp.answers = answers
    mail = queue()
    deliver_due_mails()
    mail.refresh_from_db()
    assert mail.state == state
    assert Alert.objects.filter(key="mail-parked").exists() == (state == State.PARKED)


def test_an_alert_mail_that_cannot_be_sent_causes_no_chain(queue, deliver_due_mails, smtp, settings):
    settings.STAFF_ALERT_EMAILS = ["staff@mail.example"]
    smtp.answers["RCPT"] = "550 nobody"
    queue()
    for _ in range(5):
        deliver_due_mails()
    assert Mail.objects.count() == 2
    assert Alert.objects.get().occurrences == 2


def test_a_second_sending_after_a_crash_has_the_same_message_id(queue, smtp):
    mail = queue()
    (claimed,) = runner.claim(Mail, limit=1)
    rendered = delivery.render(claimed)
    delivery._message(claimed, rendered).send()  # and the worker dies before recording it
    Mail.objects.update(run_after=Now() - timedelta(seconds=1))
    runner.drain(Mail, seconds=5)
    first, second = smtp.taken
    assert first["Message-ID"] == second["Message-ID"] == delivery.message_id(mail)


def test_message_ids_differ_and_reveal_nothing(queue):
    first, second = queue(key="order:12:paid"), queue(key="order:13:paid")
    assert delivery.message_id(first) != delivery.message_id(second)
    assert "order" not in delivery.message_id(first)


def test_sending_again_queues_a_separate_mail_to_the_current_address(queue, deliver_due_mails, smtp, student):
    mail = queue()
    deliver_due_mails()
    student.email = "new@mail.example"
    student.save()
    mail.refresh_from_db()
    assert send_again(mail).pk == send_again(mail).pk != mail.pk
    deliver_due_mails()
    first, second = smtp.taken
    assert (first["To"], second["To"]) == ("student@mail.example", "new@mail.example")
    assert first["Message-ID"] != second["Message-ID"]
    assert send_again(mail).state == State.WAITING


def test_a_mail_whose_template_is_broken_does_not_stop_others(queue, deliver_due_mails, mailoutbox):
    broken = queue(key="broken", template="nothing/mail/here")
    queue()
    deliver_due_mails()
    assert len(mailoutbox) == 1
    broken.refresh_from_db()
    assert broken.state == State.WAITING
    assert "TemplateDoesNotExist" in broken.last_error


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_mail_is_sent(queue, deliver_due_mails, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "django.core.mail.backends.locmem.EmailBackend.send_messages",
        lambda backend, messages: seen.append(connection.in_atomic_block),
    )
    queue()
    deliver_due_mails()
    assert seen == [False]


def test_an_overtaken_worker_does_not_overwrite_the_latest_result(queue, mailoutbox):
    queue()
    (overtaken,) = runner.claim(Mail, limit=1)
    Mail.objects.update(run_after=Now() - timedelta(seconds=1))
    runner.drain(Mail, seconds=5)
    noted = Mail.objects.get().sent_at
    runner.run(overtaken)
    assert Mail.objects.get().sent_at == noted


def test_only_5xx_answers_to_the_message_are_permanent():
    assert delivery._is_permanent(smtplib.SMTPRecipientsRefused({"a@b": (550, b"no"), "c@d": (553, b"no")}))
    assert not delivery._is_permanent(smtplib.SMTPRecipientsRefused({"a@b": (550, b"no"), "c@d": (450, b"busy")}))
    assert not delivery._is_permanent(smtplib.SMTPAuthenticationError(535, b"password changed"))
    assert not delivery._is_permanent(TimeoutError())
