from datetime import timedelta

from django.apps import AppConfig

from jobs.schedule import PeriodicWork


class LedgerConfig(AppConfig):
    name = "ledger"
    periodic_work = (PeriodicWork(task="ledger.take_checkpoints", every=timedelta(minutes=1)),)
