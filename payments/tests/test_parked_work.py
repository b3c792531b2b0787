"""Every kind of parked work alerts staff."""

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.tests.factories import UserFactory
from jobs import registry, runner
from notifications.models import Alert, Mail
from notifications.outbox import queue_mail
from payments.cancellations.sales import cancel_all_sold
from payments.disputes.answers import accept_dispute
from payments.models import (
    ChargeLookup,
    Customer,
    DisputeAnswer,
    LineCancellation,
    MirrorSync,
    Payment,
    PayoutReversal,
    PayoutTransfer,
    ReconciliationRun,
    Refund,
    WebhookEvent,
)
from payments.refunds.requests import refund_second_payment
from payments.settlement import settle_payment
from payments.tests.disputing import Case
from payments.tests.factories import event_of, evidence_for, open_order
from payments.tests.payout_factories import approved
from payments.webhook.inbox import store_event

pytestmark = pytest.mark.django_db


def paid():
    payment = open_order()
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    return payment


def an_event():
    event = event_of("customer.created", {"id": "cus_1", "object": "customer"})
    store_event(event, source="webhook")
    return WebhookEvent.objects.get()


def a_mail():
    queue_mail(key="k", to=UserFactory(), template="payments/mail/paid_twice", context={})
    return Mail.objects.latest("pk")


def an_answer():
    dispute = Case(paid()).open()
    return accept_dispute(dispute_id=dispute.pk, by_id=UserFactory(is_staff=True).pk)


def a_cancellation():
    line = paid().order.lines.get()
    cancel_all_sold(
        domain=line.domain,
        reference=line.reference,
        title=line.title,
        teacher_id=line.teacher_id,
        reason="Ill",
        requested_by_id=line.teacher.user_id,
    )
    return LineCancellation.objects.get()


MAKERS = {
    Payment: open_order,
    Customer: lambda: Customer.objects.create(user=UserFactory()),
    ChargeLookup: lambda: ChargeLookup.objects.get(payment=paid()),
    Refund: lambda: refund_second_payment(paid()),
    MirrorSync: lambda: MirrorSync.objects.create(object_type="charge", object_id="ch_1"),
    WebhookEvent: an_event,
    Mail: a_mail,
    DisputeAnswer: an_answer,
    PayoutTransfer: lambda: approved().transfer,
    PayoutReversal: lambda: PayoutReversal.objects.create(
        transfer=approved().transfer, amount_minor=100, reason="made_at_stripe"
    ),
    ReconciliationRun: lambda: ReconciliationRun.objects.create(
        until=timezone.now(), settled_before=timezone.now(), livemode=False
    ),
    LineCancellation: a_cancellation,
}


# Of subscriptions in their own tests. Messages to other people's servers: their owner gets a mail, staff nothing to do.
NOT_HERE = {"subscriptions", "webhooks"}


@pytest.mark.parametrize(
    "model",
    [model for model in registry.work_models() if model._meta.app_label not in NOT_HERE],
    ids=lambda model: model._meta.label,
)
def test_every_kind_of_parked_work_raises_an_alert(model):
    work = MAKERS[model._meta.concrete_model]()
    Alert.objects.all().delete()
    model.objects.filter(pk=work.pk).update(state="running", attempts=model.max_attempts + 1, run_after=Now())
    work.refresh_from_db()
    runner.run(work)
    work.refresh_from_db()
    assert work.state == "parked"
    assert Alert.objects.count() == 1
