"""Every sequence of what may happen to money, on the pure rules: the books never deviate from the plain model.

`make exhaustive` goes six steps deep; EXHAUSTIVE_DEPTH names another depth. Equal worlds are looked at once.
"""

import os

from payments.tests.money_model.happenings import next_steps
from payments.tests.money_model.world import World

DEPTH = int(os.environ.get("EXHAUSTIVE_DEPTH", "4"))


def deviation_of(world):
    books, plain = world.rules.figures(), world.plain.figures()
    return {key: (books.get(key), plain.get(key)) for key in {*books, *plain} if books.get(key) != plain.get(key)}


def check(world, path):
    assert not deviation_of(world), (path, deviation_of(world))
    before = world.rules.key()
    for report in world.arrived:
        again = world.copy()
        again.tell_rules(report)
        assert again.rules.key() == before, (path, "repeated", report)


def worlds_after(world, path, seen):
    """The world, and those in which late reports have arrived by now, in every order."""
    waiting = [(world, path)]
    while waiting:
        world, path = waiting.pop()
        key = world.key()
        if key in seen:
            continue
        seen.add(key)
        check(world, path)
        yield world, path
        for report in world.late:
            later = world.copy()
            later.arrive(report)
            waiting.append((later, (*path, ("arrives", report))))


def test_no_sequence_of_happenings_deviates_from_the_plain_model():
    seen = set()
    frontier = list(worlds_after(World(), (), seen))
    for depth in range(DEPTH):
        following = []
        for world, path in frontier:
            for name, happen in next_steps(world):
                changed = world.copy()
                happen(changed)
                following += worlds_after(changed, (*path, name), seen)
        frontier = following
        print(f"{len(frontier)} different worlds after {depth + 1} steps")  # noqa: T201  # `make exhaustive` shows it
