import pytest

from accounts.tests.factories import UserFactory
from jobs import runner, wakeups
from notifications.models import Mail
from notifications.outbox import queue_mail
from notifications.tests.smtp_server import SmtpServer

ALERT = {"title": "Something happened", "details": [["order", "L-1"]], "alert_path": "/admin/"}


@pytest.fixture(autouse=True)
def wakes(monkeypatch):
    """The kinds of work for which workers were woken; no message is sent to the broker."""
    asked = []
    monkeypatch.setattr(wakeups._waker, "ask", asked.append)
    return asked


@pytest.fixture
def student(db):
    return UserFactory(email="student@mail.example", full_name="Ada Lovelace")


@pytest.fixture
def queue(student):
    """Queues one mail with an existing template and returns its row."""

    def queue_one(key="test:1", to=student, template="notifications/mail/alert", **words):
        queue_mail(key=key, to=to, template=template, context={**ALERT, **words})
        return Mail.objects.get(key=key)

    return queue_one


@pytest.fixture
def deliver_due_mails():
    """Deliver all due mails now, as a worker would."""
    return lambda: runner.drain(Mail, seconds=10)


@pytest.fixture
def smtp_that_is_down(settings):
    """The mail server in the settings, not started yet."""
    server = SmtpServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield server
    server.stop()


@pytest.fixture
def smtp(smtp_that_is_down):
    smtp_that_is_down.start()
    return smtp_that_is_down
