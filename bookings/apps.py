from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "bookings"

    def ready(self) -> None:
        from bookings.handler import LessonHandler  # models are not loaded before ready()
        from payments.registry import register

        register(LessonHandler())
