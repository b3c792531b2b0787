"""Put many copies of every object into the sandbox's file; run as its own process, while the sandbox is stopped.

Straight through its store: over HTTP, ten thousand of each kind would take hours. Prints how many there are by kind.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
django.setup()

from django.db.models import Count  # noqa: E402  # Django must know its settings first

from sandbox import store  # noqa: E402
from sandbox.identifiers import new_id  # noqa: E402
from sandbox.models import StoredObject  # noqa: E402

BATCH = 2000


def fill(kind: str, wanted: int) -> None:
    """Copy the objects of a kind in turns, under ids of their own, until there are so many."""
    originals = list(StoredObject.objects.filter(kind=kind, is_deleted=False).order_by("pk")[:10])
    missing = wanted - StoredObject.objects.filter(kind=kind).count()
    for start in range(0, missing, BATCH):
        StoredObject.objects.bulk_create(
            _copy(originals[number % len(originals)]) for number in range(start, min(start + BATCH, missing))
        )


def _copy(original: StoredObject) -> StoredObject:
    head, separator, tail = original.object_id.rpartition("_")
    copy = new_id(head + separator + tail[:1], max(len(tail) - 1, 13))
    body = original.body | {"id": copy}
    if body["object"] == "webhook_endpoint":
        body["status"] = "disabled"  # There shall be many, not all of them told of everything.
    return StoredObject(
        object_id=copy,
        kind=original.kind,
        account=original.account,
        created=original.created,
        body=body,
        **store._columns(body),  # noqa: SLF001  # what the store itself would write
    )


def main() -> None:
    """Fill every kind there is one of."""
    parser = argparse.ArgumentParser(description="Copies of every object in the sandbox's file.")
    parser.add_argument("wanted", type=int)
    wanted = parser.parse_args().wanted
    for kind in StoredObject.objects.filter(is_deleted=False).values_list("kind", flat=True).distinct():
        fill(kind, wanted)
    counts = StoredObject.objects.values_list("kind").annotate(Count("pk"))
    sys.stdout.write(json.dumps(dict(counts)))


if __name__ == "__main__":
    main()
