from datetime import timedelta

from django.apps import AppConfig

from jobs.schedule import PeriodicWork


class NotificationsConfig(AppConfig):
    name = "notifications"
    periodic_work = (PeriodicWork(task="notifications.check_invariants", every=timedelta(hours=1)),)

    def ready(self) -> None:
        from accounts.applications import listen_to_decisions  # models can be imported only now
        from notifications.mails import queue_decision_mail

        listen_to_decisions(queue_decision_mail)
