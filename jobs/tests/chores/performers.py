from django.db.models import F

from jobs.registry import performs
from jobs.tests.chores.models import Chore


def count_told(chore):
    if chore.order == "fail_to_tell":
        raise RuntimeError("staff cannot be told")
    Chore.objects.filter(pk=chore.pk).update(told_staff=F("told_staff") + 1)


@performs(Chore, when_parked=count_told)
def do_chore(chore):
    Chore.objects.filter(pk=chore.pk).update(started=F("started") + 1)
    getattr(chore, chore.order)()
