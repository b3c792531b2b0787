import os
import signal
import time
from datetime import timedelta

import psycopg
from django.db import connection, models, transaction

from jobs.models import DurableWork, WorkParked, WorkPostponed


class Chore(DurableWork):
    """Does what its `order` says, and counts in `effects` how often it took effect."""

    lease = timedelta(seconds=20)
    max_attempts = 3
    max_postponements = 2

    order = models.CharField(max_length=40, default="succeed")
    effects = models.IntegerField(default=0)
    started = models.IntegerField(default=0)
    told_staff = models.IntegerField(default=0)
    notes = models.JSONField(default=dict)
    noted_at = models.DateTimeField(null=True)

    class Meta(DurableWork.Meta):
        app_label = "chores"

    def succeed(self):
        with transaction.atomic():
            Chore.objects.filter(pk=self.pk).update(effects=models.F("effects") + 1)
            self.mark_done()

    def leave_marking_to_the_runner(self):
        Chore.objects.filter(pk=self.pk).update(effects=models.F("effects") + 1)

    def take_a_second(self):
        time.sleep(1)
        self.succeed()

    def fail(self):
        raise ValueError("no luck\x00 today")

    fail_to_tell = fail

    def fail_with_half_a_character(self):
        raise ValueError("no luck \ud83d")

    def fail_at_length(self):
        raise ValueError("x" * 1_000_000 + " the end")

    def refuse(self):
        raise WorkParked("never possible")

    def postpone(self):
        raise WorkPostponed("too early", delay=timedelta(minutes=5))

    def lose_the_database(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        parameters = connection.get_connection_params()
        names = ("dbname", "user", "password", "host", "port")
        with psycopg.connect(**{name: parameters[name] for name in names if name in parameters}) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        Chore.objects.count()

    def die_once(self):
        if self.attempts == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        self.succeed()
