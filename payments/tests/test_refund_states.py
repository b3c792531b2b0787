"""Which reports of Stripe's change a refund, in every state, and which money moves with the change."""

import itertools

import pytest

from payments.models import Refund
from payments.refunds.states import (
    ENDED,
    UNDER_WAY,
    Booking,
    Change,
    RefundStatus,
    booking_of_new,
    change_after,
    read_status,
)

REPORTS = [status for status in RefundStatus if status != RefundStatus.REQUESTED]
_S = RefundStatus


def test_the_statuses_are_those_that_are_stored():
    choices = Refund._meta.get_field("status").choices
    assert [value for value, _ in choices] == list(RefundStatus)


@pytest.mark.parametrize("text", ["requested", "blocked", "", "Succeeded"])
def test_a_status_that_stripe_does_not_have_today_counts_as_pending(text):
    assert read_status(text) is RefundStatus.PENDING


@pytest.mark.parametrize("status", REPORTS)
def test_each_status_of_stripe_is_read(status):
    assert read_status(status.value) is status


@pytest.mark.parametrize(("before", "reported"), [*itertools.product(RefundStatus, REPORTS)])
def test_every_report_in_every_state(before, reported):
    if before in ENDED or before == reported:
        expected = None
    elif reported in ENDED:
        expected = Change(reported, Booking.RESTORE if before == _S.SUCCEEDED else Booking.RELEASE)
    elif before in UNDER_WAY and reported in UNDER_WAY:
        expected = Change(reported, Booking.NOTHING)
    elif before in UNDER_WAY:
        expected = Change(_S.SUCCEEDED, Booking.TAKE)
    else:
        expected = None
    assert change_after(before.value, reported) == expected


@pytest.mark.parametrize("reports", [*itertools.product(REPORTS, repeat=3)])
def test_whatever_the_order_of_reports_money_is_taken_and_given_back_once_at_most(reports):
    status, bookings = _S.REQUESTED, []
    for reported in reports:
        change = change_after(status, reported)
        if change is not None:
            status = change.status
            bookings.append(change.booking)
    moved = [booking for booking in bookings if booking != Booking.NOTHING]
    assert moved in ([], [Booking.TAKE], [Booking.RELEASE], [Booking.TAKE, Booking.RESTORE])
    assert (status in ENDED) == bool(ENDED.intersection(reports))
    assert (Booking.TAKE in moved and Booking.RESTORE not in moved) == (status == _S.SUCCEEDED)


def test_only_a_success_moves_money_of_a_refund_made_at_stripe():
    moved = {status: booking_of_new(status) for status in RefundStatus}
    assert [status for status, booking in moved.items() if booking == Booking.TAKE] == [_S.SUCCEEDED]
    assert set(moved.values()) == {Booking.TAKE, Booking.NOTHING}
