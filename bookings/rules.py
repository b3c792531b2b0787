"""The limits and periods of private lessons."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

# A request to a teacher that is not answered for this long lapses, and the student gets a mail. So does one to any
# teacher for which staff find none in this time.
ANSWER_WITHIN = timedelta(days=5)
# A request to any teacher goes to the next one after this: the student should not wait for one teacher's holiday.
ASSIGNED_ANSWER_WITHIN = timedelta(days=2)
# How many teachers are asked, one after the other, before staff take over.
TEACHERS_ASKED_AT_MOST = 5
# Keeps one person from filling every teacher's desk.
OPEN_REQUESTS_AT_MOST = 10
# Each request is mailed to teachers, and a withdrawn one can be made again, so both counts include withdrawn requests.
REQUESTS_PER_DAY = 15
REQUESTS_TO_ANY_PER_DAY = 3
SLOTS_AT_MOST = 6
# How far ahead a slot may be proposed.
SLOT_AT_MOST_AHEAD = timedelta(days=366)
SHORTEST_LESSON_MINUTES = 15
LONGEST_LESSON_MINUTES = 480
# Links to meetings carry tokens: those of Microsoft Teams take 250 to 600 characters.
LONGEST_LINK = 2000
# The cancellation policy, copied to the lesson when it is proposed and to the order line when it is bought.
CANCELLATION_POLICY = {"full_refund_hours": 48, "half_refund_hours": 24}
# How long after the lesson the student may contest it; after that the teacher has earned their share.
CONTEST_WITHIN = timedelta(hours=72)


def write_terms(policy: Mapping[str, Any]) -> str:
    """What a student who cancels gets back, in one sentence."""
    hours = {**CANCELLATION_POLICY, **policy}
    return (
        f"Full refund until {hours['full_refund_hours']} hours before the lesson, half until "
        f"{hours['half_refund_hours']} hours before, none after that."
    )
