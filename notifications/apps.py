from datetime import timedelta

from django.apps import AppConfig

from jobs.schedule import PeriodicWork


class NotificationsConfig(AppConfig):
    name = "notifications"
    periodic_work = (PeriodicWork(task="notifications.check_invariants", every=timedelta(hours=1)),)

    def ready(self) -> None:
        from django.urls import reverse

        from accounts.applications import listen_to_decisions  # models can be imported only now
        from notifications.advice import Advice, register_advice
        from notifications.mails import queue_applicant_mail, queue_decision_mail

        listen_to_decisions(queue_decision_mail)
        listen_to_decisions(queue_applicant_mail)
        parked = "?state__exact=parked"
        register_advice(
            {
                "mail-parked": Advice(
                    "Read the last error. If the address is right, choose “Retry now”; if not, ask the person for another.",
                    lambda _about: f"{reverse('admin:notifications_mail_changelist')}{parked}",
                ),
                "invariant": Advice("Something in the database contradicts itself. Tell the operator, with this text."),
            }
        )
