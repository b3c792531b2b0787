"""Settings, URLs and the processes' entry points."""

import gc

# Before anything is loaded. By default Python searches for reference cycles after every 700 new objects, which took a
# fifth of each start and a tenth of the work. Here it does so after every 50,000; most objects are freed without it.
gc.set_threshold(50_000, 20, 20)

from config.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
