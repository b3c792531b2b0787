"""Put many copies of every object into the sandbox's file. Runs as its own process, while the sandbox is stopped.

It writes through the sandbox's store: over HTTP, ten thousand of each kind would take hours. All objects are copied
together, so that the copy of a refund names the copy of its charge, and each customer has realistically few payments.
Prints how many objects there are by kind, and some of each, from the oldest to the newest, with their plain fields.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count, islice
from random import Random

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
django.setup()

from django.db.models import Count  # noqa: E402  # Django must know its settings first

from sandbox import store  # noqa: E402
from sandbox.identifiers import token  # noqa: E402
from sandbox.models import StoredObject  # noqa: E402
from sandbox.options import options  # noqa: E402
from sandbox.store import Body  # noqa: E402

BATCH = 2000
OF_AN_ACCOUNT = ("bank_account", "person")
_WORD = re.compile(r"\w+", re.ASCII)


def fill(wanted: int) -> None:
    """Copy all objects repeatedly until there are enough of each kind; the platform itself is not copied."""
    there = StoredObject.objects.filter(is_deleted=False).exclude(object_id=options().account_id)
    originals = list(there.exclude(kind__in=OF_AN_ACCOUNT, account=options().account_id).order_by("pk"))
    held = Counter(original.kind for original in originals)
    copies = _copies(originals, {kind: wanted - number for kind, number in held.items()})
    while batch := list(islice(copies, BATCH)):
        with store.writing():
            for account, body in batch:
                with store.acting_for(account):
                    store.insert(body)


def _copies(originals: list[StoredObject], missing: dict[str, int]) -> Iterator[tuple[str, Body]]:
    """Yield each copy with the account it belongs to."""
    names: dict[str, list[str]] = {original.object_id: [] for original in originals}
    for turn in count():
        chosen = [original for original in originals if _takes_one(missing, original.kind)]
        if not chosen:
            return
        for original in chosen:
            names[original.object_id].append(_fresh(original.object_id))
        # References to a kind that is full go to its copies in turn: each charge gets a few refunds, no charge all of
        # them.
        now = {original: copies[turn % len(copies)] for original, copies in names.items() if copies}
        yield from ((now.get(one.account, one.account), _copy(one.body, now)) for one in chosen)


def _takes_one(missing: dict[str, int], kind: str) -> bool:
    missing[kind] -= 1
    return missing[kind] >= 0


def _fresh(object_id: str) -> str:
    """A new id with the same prefix and length."""
    head, separator, tail = object_id.rpartition("_")
    return f"{head}{separator}{tail[:1]}{token(max(len(tail) - 1, 13))}"


def _copy(original: Body, names: Mapping[str, str]) -> Body:
    body: Body = json.loads(_WORD.sub(lambda found: names.get(found[0], found[0]), json.dumps(original)))
    # Fields that are unique in real data, so that a search for one value finds one object.
    own = {"email": f"{body['id'].lower()}@example.org", "code": token(8).upper(), "name": body["id"]}
    body |= {name: value for name, value in own.items() if body.get(name)}
    if body["object"] == "subscription":
        body["metadata"] = {"of": body["id"]}
    if body["object"] == "billing_portal.configuration":
        body["is_default"] = False
    if body["object"] == "webhook_endpoint":
        body["status"] = "disabled"  # There must be many endpoints, but they must not all receive every event.
    return body


def _sample(kind: str, size: int) -> list[dict[str, str]]:
    """Sample objects of the platform, or of any account where it has too few, of all ages and in random order."""
    rows = StoredObject.objects.filter(kind=kind, is_deleted=False).order_by("pk")
    own = rows.filter(account=options().account_id)
    keys = list((own if own.count() > size else rows).values_list("pk", flat=True))
    chosen = Random(kind).sample(keys, min(size, len(keys)))  # noqa: S311  # the same ones in every run
    bodies = dict(StoredObject.objects.filter(pk__in=chosen).values_list("pk", "body"))
    return [{name: value for name, value in bodies[key].items() if isinstance(value, str)} for key in chosen]


def main() -> None:
    """Fill every kind of which there is at least one object."""
    parser = argparse.ArgumentParser(description="Copies of every object in the sandbox's file.")
    parser.add_argument("wanted", type=int)
    parser.add_argument("sample", type=int)
    asked = parser.parse_args()
    fill(asked.wanted)
    counts = dict(StoredObject.objects.values_list("kind").annotate(Count("pk")))
    samples = {kind: _sample(kind, asked.sample) for kind in counts}
    sys.stdout.write(json.dumps({"counts": counts, "samples": samples}))


if __name__ == "__main__":
    main()
