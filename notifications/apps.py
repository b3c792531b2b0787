from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        from accounts.applications import listen_to_decisions  # models can be imported only now
        from notifications.mails import queue_decision_mail

        listen_to_decisions(queue_decision_mail)
