"""The files in which the processes of one machine share their counters.

prometheus_client gives each process files of its own, named after its id, and leaves them behind. gunicorn replaces
processes all the time, so the files would grow in number for ever; were they deleted, the sums would fall. So what
ended processes counted is added to one archive, under a lock that readers hold, too.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

# counter_17.db, histogram_17.db, gauge_livemax_17.db
_FILE = re.compile(r"(?P<kind>counter|histogram|gauge_\w+?)_(?P<pid>\d+)\.db")
# No process has this id.
_ARCHIVE = 0


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Hold the lock that keeps counts from being seen twice, after archiving those of ended processes."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _archive_ended(folder)
        yield


def archive_ended(folder: Path) -> None:
    """Add the counts of ended processes to the archive and delete their files, and gauges, which end with them."""
    with reading(folder):
        pass


def _archive_ended(folder: Path) -> None:
    for path in sorted(folder.glob("*.db")):
        found = _FILE.fullmatch(path.name)
        if not found or int(found["pid"]) == _ARCHIVE or _is_alive(int(found["pid"])):
            continue
        # Renamed first: a reader that is killed halfway loses a few counts, but never counts them twice.
        ended = path.rename(path.with_suffix(".ended"))
        if not found["kind"].startswith("gauge") and ended.stat().st_size:
            _add(ended, to=folder / f"{found['kind']}_{_ARCHIVE}.db")
        ended.unlink()


def _add(path: Path, *, to: Path) -> None:
    archive = MmapedDict(str(to))
    try:
        for key, value, timestamp, _position in MmapedDict.read_all_values_from_file(str(path)):
            archive.write_value(key, archive.read_value(key)[0] + value, timestamp)
    finally:
        archive.close()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
