"""Time zones, languages and regions by name, from the IANA and CLDR data that come with Python and Babel."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache

from babel import Locale
from babel.core import get_global
from django.core.exceptions import ValidationError

_NAMES = Locale("en", "GB")
_SUBDIVISION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
# Areas that are places; people look for these. Browsers also report others, such as Etc/GMT+1 and EST5EDT.
_AREAS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip


# Old names of zones that say nothing without their country.
_POINTS_OF_THE_COMPASS = {"australia/north", "australia/south", "australia/west"}
# Files in the folder of zones that are no zones: links to the one of this computer, and one for "not set".
_NOT_ZONES = {"localtime", "posixrules", "Factory"}
# UTC has a dozen names, and Greenwich Mean Time as a zone of its own has no summer time, unlike London's.
_UTC = {"Etc/UTC", "Etc/GMT", "Etc/UCT"}


@cache
def known_time_zones() -> frozenset[str]:
    """The name of every zone that has rules. Cached, because looking them up reads the disk."""
    return frozenset(zoneinfo.available_timezones() - _NOT_ZONES)


@cache
def canonical_time_zones() -> dict[str, str]:
    """The name to store for every name in lower case: us/pacific is America/Los_Angeles. Every zone has one name.

    The old names are from CLDR, which keeps Europe/Oslo apart from Europe/Berlin, as the people there do.
    """
    names = {}
    for name in known_time_zones():
        canonical = get_global("zone_aliases").get(name, name)
        canonical = "UTC" if canonical in _UTC else canonical
        # CLDR may know a newer name than this computer.
        names[name.lower()] = canonical if canonical in known_time_zones() else name
    return names


@cache
def time_zones() -> list[tuple[str, str]]:
    """Every zone named for a place, as (IANA name, readable name), with UTC first."""
    canonical = set(canonical_time_zones().values())
    names = sorted(name for name in canonical if name.partition("/")[0] in _AREAS)
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


@cache
def zones_by_city() -> dict[str, str]:
    """The zone to store for each city that zones are named for, such as new_york; every city is in one zone."""
    places = {name: zone for name, zone in canonical_time_zones().items() if name.partition("/")[0].title() in _AREAS}
    return {name.rpartition("/")[2]: zone for name, zone in places.items() if name not in _POINTS_OF_THE_COMPASS}


@cache
def languages() -> list[tuple[str, str]]:
    """Languages people teach in, as (ISO 639 code, English name), by name."""
    codes = {code: name for code, name in _NAMES.languages.items() if re.fullmatch(r"[a-z]{2}", code)}
    return sorted(codes.items(), key=lambda pair: pair[1])


@cache
def regions() -> list[tuple[str, str]]:
    """Countries, as (ISO 3166 code, English name), by name."""
    countries = {
        code: name
        for code, name in _NAMES.territories.items()
        if re.fullmatch(r"[A-Z]{2}", code) and code not in {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
    }
    return sorted(countries.items(), key=lambda pair: pair[1])


def region_name(code: str) -> str:
    """A country's common name; a part of one as "United States (CA)"; the code itself if it is unknown."""
    country, _, part = code.partition("-")
    name = dict(regions()).get(country, country)
    return f"{name} ({part})" if part else name


def language_name(code: str) -> str:
    """A language's English name; the code itself if it is unknown."""
    return dict(languages()).get(code, code)


def is_time_zone(value: str) -> None:
    """Refuse a zone for which this computer has no rules: it would break every page that shows a time."""
    if value not in known_time_zones():
        raise ValidationError("%(value)s is no known time zone.", params={"value": value})


def is_language(value: str) -> None:
    if value not in dict(languages()):
        raise ValidationError("%(value)s is no known language code.", params={"value": value})


def is_region(value: str) -> None:
    """Refuse what is neither a country (GB) nor a part of one (US-CA); either may issue licences to teach."""
    country = value.partition("-")[0]
    if country not in dict(regions()) or (country != value and not _SUBDIVISION.fullmatch(value)):
        raise ValidationError("%(value)s is no known region code.", params={"value": value})
