from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.retry_after import LONGEST, read_retry_after

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("", None),
        ("soon", None),
        ("99999999999", LONGEST.total_seconds()),
        ("9" * 400, None),
        ("Tue, 01 Dec 2026 12:01:00 GMT", 60),
        ("Tue, 01 Dec 2026 12:01:00", 60),
        ("Tuesday, 01-Dec-26 12:01:00 GMT", 60),
        ("Tue, 01 Dec 2026 14:01:00 +0200", 60),
        ("Tue, 01 Dec 2026 11:59:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST.total_seconds()),
        ("Tue, 99 Dec 2026 12:00:00 GMT", None),
    ],
)
def test_both_forms_are_read_and_nonsense_is_not(value, seconds):
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert read_retry_after(value, now=NOW) == expected


@given(st.text())
def test_no_text_makes_it_fail_or_wait_for_too_long(value):
    wait = read_retry_after(value, now=NOW)
    assert wait is None or timedelta(0) < wait <= LONGEST
