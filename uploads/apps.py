from datetime import timedelta

from celery.schedules import crontab
from django.apps import AppConfig

from jobs.schedule import PeriodicWork


class UploadsConfig(AppConfig):
    name = "uploads"
    periodic_work = (
        # At an hour rather than after a time: a clock that is started anew each day would never get there.
        PeriodicWork(task="uploads.delete_orphans", every=crontab(hour="3", minute="40"), expires=timedelta(hours=1)),
    )
