from datetime import timedelta

from jobs.schedule import PeriodicWork
from payments.domains import DomainConfig, MenuPage


class RetreatsConfig(DomainConfig):
    name = "tests.retreats"
    label = "retreats"
    handler = "tests.retreats.handler.RetreatHandler"
    student_page = MenuPage("My retreats", "retreats:mine")
    teacher_page = MenuPage("Retreats", "retreats:desk")
    periodic_work = (PeriodicWork(task="retreats.free_lapsed_holds", every=timedelta(hours=1)),)
