from datetime import timedelta

from jobs.schedule import PeriodicWork
from payments.domains import DomainConfig, MenuPage


class BookingsConfig(DomainConfig):
    name = "bookings"
    handler = "bookings.handler.LessonHandler"
    student_page = MenuPage("My lessons", "bookings:requests_mine")
    teacher_page = MenuPage("Lessons", "bookings:desk")
    periodic_work = (PeriodicWork(task="bookings.lapse_old_requests", every=timedelta(minutes=15)),)
