from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        from accounts.teaching import listen_to_decisions  # models can be imported only now
        from notifications.teaching_mails import tell_of_decision

        listen_to_decisions(tell_of_decision)
