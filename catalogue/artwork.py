"""The generated cover of a subject: one of a few tones and motifs, chosen by staff or derived from its slug."""

from __future__ import annotations

from zlib import crc32

from django.db import models


class Tone(models.TextChoices):
    """The colour families in static/css/artwork.css."""

    MOSS = "moss"
    SEA = "sea"
    SKY = "sky"
    IRIS = "iris"
    PLUM = "plum"
    ROSE = "rose"
    CLAY = "clay"
    PINE = "pine"


class Motif(models.TextChoices):
    """The symbols in static/art/motifs.svg."""

    ARCHES = "arches"
    WAVES = "waves"
    RAYS = "rays"
    STEPS = "steps"
    PETALS = "petals"
    ORBITS = "orbits"
    STAVES = "staves"
    TILES = "tiles"
    HILLS = "hills"
    SHELF = "shelf"


# The number of arrangements of one motif in the stylesheet (.art--turn-0 to -3).
TURNS = 4


def pick(options: list[str], words: str) -> str:
    """Pick one of the options by the words: always the same one for the same words, in every process."""
    return options[crc32(words.encode()) % len(options)]


def tone_for(words: str) -> str:
    return pick(Tone.values, words)


def motif_for(words: str) -> str:
    return pick(Motif.values, words[::-1])


def turn_for(words: str) -> int:
    return crc32(words.encode()) // 7 % TURNS
