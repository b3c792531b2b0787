from datetime import timedelta

from jobs.schedule import PeriodicWork
from payments.domains import DomainConfig, MenuPage


class BookingsConfig(DomainConfig):
    name = "bookings"
    handler = "bookings.handler.LessonHandler"
    student_page = MenuPage("My lessons", "bookings:requests_mine")
    teacher_page = MenuPage("Lessons", "bookings:desk")
    periodic_work = (
        PeriodicWork(task="bookings.lapse_old_requests", every=timedelta(minutes=15)),
        PeriodicWork(task="bookings.find_teachers", every=timedelta(minutes=5)),
        PeriodicWork(task="bookings.earn_credits", every=timedelta(minutes=15)),
    )

    def ready(self) -> None:
        super().ready()
        from django.urls import reverse

        from notifications.advice import Advice, register_advice

        advice = Advice(
            "Open the request and move it to a teacher who can take it, or write to the student.",
            lambda about: reverse("admin:bookings_lessonrequest_change", args=[about.partition(":")[0]]),
        )
        register_advice({"lesson-request": advice})
