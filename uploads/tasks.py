"""The periodic task of uploads."""

from __future__ import annotations

import structlog
from celery import shared_task

from uploads import orphans

log = structlog.get_logger(__name__)


@shared_task(name="uploads.delete_orphans")
def delete_orphans() -> None:
    """Delete files that no row names."""
    if number := orphans.delete_orphans():
        log.info("orphaned_files_deleted", number=number)
