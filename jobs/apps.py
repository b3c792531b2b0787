from datetime import timedelta

from celery import current_app
from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from jobs.schedule import PeriodicWork, beat_schedule


class JobsConfig(AppConfig):
    name = "jobs"
    # The sweep makes a lost message harmless, so it runs often and on the queue that nothing holds up.
    periodic_work = (
        PeriodicWork(task="jobs.sweep", every=timedelta(seconds=2), queue="urgent", expires=timedelta(seconds=10)),
        PeriodicWork(task="jobs.delete_expired", every=timedelta(hours=1)),
    )

    def ready(self) -> None:
        from jobs import checks  # noqa: F401  # registers them

        # Every process needs the performers: worker, web process, management command and test.
        autodiscover_modules("performers")
        current_app.conf.beat_schedule = beat_schedule()
