"""The periodic tasks of operations."""

from celery import shared_task

from operations.emergency.report import report_ended


@shared_task(name="operations.report_emergency_accesses")
def report_emergency_accesses() -> None:
    """Mail what was done under emergency accesses that are over."""
    report_ended()
