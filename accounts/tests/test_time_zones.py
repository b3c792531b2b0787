import zoneinfo

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.utils import timezone

from accounts.tests.factories import UserFactory
from accounts.time_zones import TimeZoneMiddleware


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
