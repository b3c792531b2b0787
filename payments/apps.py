from datetime import timedelta

from celery.schedules import crontab
from django.apps import AppConfig

from jobs.schedule import PeriodicWork


class PaymentsConfig(AppConfig):
    name = "payments"
    periodic_work = (
        PeriodicWork(task="payments.take_in_missed_events", every=timedelta(minutes=10), queue="stripe"),
        PeriodicWork(task="payments.remind_of_disputes", every=timedelta(hours=1)),
        PeriodicWork(task="payments.mature_earnings", every=timedelta(minutes=5)),
        PeriodicWork(task="payments.number_missing_documents", every=timedelta(minutes=5)),
        PeriodicWork(task="payments.reconcile", every=crontab(hour="2", minute="20"), expires=timedelta(hours=2)),
        # Far more often than a day, so that a lost message delays no payout by a day.
        PeriodicWork(task="payments.request_scheduled_payouts", every=timedelta(hours=1)),
        PeriodicWork(task="payments.mail_due_gifts", every=timedelta(minutes=15)),
        PeriodicWork(task="payments.follow_up_accounts", every=timedelta(hours=1), queue="stripe"),
    )

    def ready(self) -> None:
        from notifications.advice import register_advice
        from notifications.attachments import register_renderer
        from payments import checks, receivers  # noqa: F401  # connects the receiver and registers the check
        from payments.alert_advice import ADVICE
        from payments.gifts.mails import GIFT_RENDERER, LINK_RENDERER
        from payments.mails import CREDIT_NOTE_RENDERER, RECEIPT_RENDERER  # imports models, which are loaded only now

        register_advice(ADVICE)
        register_renderer(RECEIPT_RENDERER, "payments.documents.receipt.render_receipt_of")
        register_renderer(GIFT_RENDERER, "payments.gifts.paper.render_gift_of")
        register_renderer(LINK_RENDERER, "payments.gifts.mails.render_link_of")
        register_renderer(CREDIT_NOTE_RENDERER, "payments.documents.credit_note.render_credit_note_of")
