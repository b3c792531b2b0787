from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from notifications.attachments import register_drawer
        from payments import checks, signing_in  # noqa: F401  # connects the receiver and registers the check
        from payments.mails import RECEIPT_DRAWER, draw_receipt  # imports models, which are loaded only now

        register_drawer(RECEIPT_DRAWER, draw_receipt)
