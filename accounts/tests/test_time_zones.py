import zoneinfo
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone

from accounts.form_fields import TimeZoneField
from accounts.places_and_languages import canonical_time_zones, known_time_zones, time_zones
from accounts.tests.factories import UserFactory
from accounts.time_zones import TimeZoneMiddleware, zone_named, zone_of


def zone_during(request):
    seen = []

    def view(_):
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    TimeZoneMiddleware(view)(request)
    return seen[0]


@pytest.fixture
def request_of(rf):
    def build(user, **cookies):
        request = rf.get("/")
        request.user = user
        request.COOKIES.update(cookies)
        return request

    return build


@pytest.mark.django_db
def test_a_signed_in_persons_own_zone_wins_over_the_browsers(request_of):
    user = UserFactory(time_zone="Asia/Tokyo")
    assert zone_during(request_of(user, time_zone="Europe/Paris")) == "Asia/Tokyo"


def test_a_guest_gets_the_zone_the_browser_reported(request_of):
    assert zone_during(request_of(AnonymousUser(), time_zone="Europe/Paris")) == "Europe/Paris"


@pytest.mark.parametrize(
    "cookie", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "\x00", "a" * 10_000, "europe/paris"]
)
def test_a_cookie_that_names_no_zone_is_ignored(request_of, cookie):
    assert zone_during(request_of(AnonymousUser(), time_zone=cookie)) == "UTC"


@pytest.mark.django_db
def test_a_zone_that_was_abolished_does_not_break_the_persons_pages(request_of):
    assert zone_during(request_of(UserFactory(time_zone="Europe/Atlantis"))) == "UTC"


def test_the_zone_ends_with_the_request(request_of):
    zone_during(request_of(AnonymousUser(), time_zone="Europe/Paris"))
    assert timezone.get_current_timezone() == zoneinfo.ZoneInfo("UTC")


OTHER_NAMES = {
    "Etc/UTC": "UTC",
    "UTC": "UTC",
    "GMT": "UTC",
    "Etc/GMT": "UTC",
    "Zulu": "UTC",
    "US/Pacific": "America/Los_Angeles",
    "EST5EDT": "America/New_York",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "GB": "Europe/London",
    "Etc/GMT+5": "Etc/GMT+5",
    "Europe/Oslo": "Europe/Oslo",
    "Asia/Kolkata": "Asia/Kolkata",
}


@pytest.mark.parametrize(("reported", "stored"), OTHER_NAMES.items())
@pytest.mark.django_db
def test_every_name_a_browser_reports_is_accepted_and_stored_under_one_name(request_of, client, reported, stored):
    assert zone_of(request_of(AnonymousUser(), time_zone=reported)).key == stored
    user = UserFactory(time_zone=reported)
    client.force_login(user)
    page = client.get("/my/profile/").content.decode()
    assert f'value="{stored}"' in page
    sent = {"full_name": "Ada", "time_zone": reported, "language": "en-gb"}
    assert client.post("/my/profile/", sent).status_code == 302
    user.refresh_from_db()
    assert user.time_zone == stored


def test_old_names_without_a_place_are_accepted():
    for name in ("CET", "EET", "WET", "MET", "EST", "MST", "HST", "PST8PDT", "Etc/GMT-14", "UCT", "Greenwich"):
        assert TimeZoneField().clean(name) in known_time_zones()
        assert zone_named(name)


def test_each_zone_has_one_name_with_the_same_rules():
    names = canonical_time_zones()
    assert set(names) == {name.lower() for name in known_time_zones()}
    for name, canonical in names.items():
        assert names[canonical.lower()] == canonical, name
    for moment in (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)):
        for name in known_time_zones():
            here, there = zoneinfo.ZoneInfo(name), zoneinfo.ZoneInfo(names[name.lower()])
            assert moment.astimezone(here).utcoffset() == moment.astimezone(there).utcoffset(), name


def test_the_list_to_choose_from_names_each_place_once():
    listed = [name for name, _label in time_zones()]
    assert "Asia/Kolkata" in listed
    assert "Asia/Calcutta" not in listed
    assert {canonical_time_zones()[name.lower()] for name in listed} == set(listed)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("Saigon", "Asia/Ho_Chi_Minh"),
        ("São Paulo", "America/Sao_Paulo"),
        ("Buenos Aires", "America/Argentina/Buenos_Aires"),
    ],
)
def test_a_zone_is_found_by_its_city(typed, zone):
    assert TimeZoneField().clean(typed) == zone


@pytest.mark.parametrize("typed", ["west", "Springfield", "/", "America/", "Europe/Berlin\x00"])
def test_what_names_no_city_is_refused(typed):
    with pytest.raises(ValidationError):
        TimeZoneField().clean(typed)
