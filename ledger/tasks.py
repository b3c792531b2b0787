"""The periodic tasks of the ledger."""

from celery import shared_task

from ledger.checkpoints import take_checkpoints


@shared_task(name="ledger.take_checkpoints")
def take_due_checkpoints() -> None:
    """Take the checkpoints that are due."""
    take_checkpoints()
