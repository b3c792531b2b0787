"""Settings, URLs and the processes' entry points."""

import gc

# Before anything is loaded. Python looks for objects that hold each other after every 700 new ones: a fifth of each start
# went into that, and a tenth of the work. Here it looks after every 50,000; most objects go when nobody names them.
gc.set_threshold(50_000, 20, 20)

from config.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
