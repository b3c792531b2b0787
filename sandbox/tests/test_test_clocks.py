"""Test clocks and their customers."""

import time

import pytest
import stripe

DAY = 24 * 3600


@pytest.fixture
def clock(client):
    """A clock at the beginning of 2027."""
    return client.v1.test_helpers.test_clocks.create({"frozen_time": 1798761600, "name": "New year"})


def test_a_clock_stands_still_until_it_is_advanced(sandbox, client, clock):
    clocks = client.v1.test_helpers.test_clocks
    assert (clock.status, clock.name, clock.frozen_time) == ("ready", "New year", 1798761600)
    assert clock.deletes_after == clock.created + 30 * DAY
    advancing = clocks.advance(clock.id, {"frozen_time": clock.frozen_time + DAY})
    assert advancing.status == "advancing"
    assert advancing.status_details.advancing.target_frozen_time == clock.frozen_time + DAY
    sandbox.drain()
    ready = clocks.retrieve(clock.id)
    assert (ready.status, ready.frozen_time) == ("ready", clock.frozen_time + DAY)
    assert sandbox.event_types() == [
        "test_helpers.test_clock.created",
        "test_helpers.test_clock.advancing",
        "test_helpers.test_clock.ready",
    ]


def test_a_clock_only_advances_and_by_two_years_at_most_without_subscriptions(sandbox, client, clock):
    advance = client.v1.test_helpers.test_clocks.advance
    for moment in (clock.frozen_time, clock.frozen_time - 1, clock.frozen_time + 731 * DAY + 1):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            advance(clock.id, {"frozen_time": moment})
        assert refused.value.param == "frozen_time"
    advance(clock.id, {"frozen_time": clock.frozen_time + 731 * DAY})


def test_a_customer_of_a_clock_is_created_at_its_time(sandbox, client, clock):
    customer = client.v1.customers.create({"email": "a@example.org", "test_clock": clock.id})
    assert (customer.test_clock, customer.created) == (clock.id, clock.frozen_time)
    elsewhere = client.v1.customers.create({"email": "b@example.org"})
    assert elsewhere.test_clock is None
    assert abs(elsewhere.created - time.time()) < 60
    found = client.v1.customers.list({"test_clock": clock.id, "expand": ["data.test_clock"]}).data
    assert [(one.id, one.test_clock.id) for one in found] == [(customer.id, clock.id)]
    with pytest.raises(stripe.InvalidRequestError, match="No such test clock: 'clock_x'"):
        client.v1.customers.create({"test_clock": "clock_x"})


def test_clocks_are_listed_newest_first(sandbox, client, clock):
    second = client.v1.test_helpers.test_clocks.create({"frozen_time": 1798761600})
    assert [one.id for one in client.v1.test_helpers.test_clocks.list().data] == [second.id, clock.id]
    page = client.v1.test_helpers.test_clocks.list({"limit": 1, "starting_after": second.id})
    assert [one.id for one in page.data] == [clock.id]


def test_deleting_a_clock_deletes_its_customers(sandbox, client, clock):
    customer = client.v1.customers.create({"test_clock": clock.id})
    assert client.v1.test_helpers.test_clocks.delete(clock.id).deleted is True
    assert client.v1.customers.retrieve(customer.id).deleted is True
    assert sandbox.event_types()[-2:] == ["customer.deleted", "test_helpers.test_clock.deleted"]
    for again in (client.v1.test_helpers.test_clocks.retrieve, client.v1.test_helpers.test_clocks.delete):
        with pytest.raises(stripe.InvalidRequestError) as missing:
            again(clock.id)
        assert missing.value.code == "resource_missing"
    with pytest.raises(stripe.InvalidRequestError, match="No such test clock"):
        client.v1.customers.create({"test_clock": clock.id})


def test_a_clock_deletes_itself_after_thirty_days(sandbox, client, clock):
    sandbox.advance(30 * DAY + 1)
    assert client.v1.test_helpers.test_clocks.list().data == []
    assert sandbox.event_types()[-1] == "test_helpers.test_clock.deleted"


def test_a_clock_outside_the_calendar_is_refused(sandbox, client):
    for moment in (0, 10**12):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.test_helpers.test_clocks.create({"frozen_time": moment})
