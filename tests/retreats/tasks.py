from celery import shared_task

from tests.retreats import holds


@shared_task(name="retreats.free_lapsed_holds")
def free_lapsed_holds():
    holds.free_lapsed_holds()
