"""The Celery application and its schedule."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("lectern")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "find work nobody was told about": {
        "task": "jobs.sweep",
        "schedule": 2.0,
        "options": {"queue": "urgent", "expires": 10},
    },
}
