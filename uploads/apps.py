from datetime import timedelta

from celery.schedules import crontab
from django.apps import AppConfig

from jobs.schedule import PeriodicWork


class UploadsConfig(AppConfig):
    name = "uploads"
    periodic_work = (
        # At a fixed time of day rather than after an interval: a beat that restarts daily would never reach its end.
        PeriodicWork(task="uploads.delete_orphans", every=crontab(hour="3", minute="40"), expires=timedelta(hours=1)),
    )
