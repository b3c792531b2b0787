"""The periodic task of integrations."""

from celery import shared_task

from integrations import expiry


@shared_task(name="integrations.remind_of_expiring_tokens")
def remind_of_expiring_tokens() -> None:
    """Mail the owners of tokens that expire soon."""
    expiry.remind_of_expiring_tokens()
