"""The figures of private lessons, in one place."""

from datetime import timedelta

# A request nobody answered for this long lapses, and the student is told.
ANSWER_WITHIN = timedelta(days=5)
# Keeps one person from filling every teacher's desk.
OPEN_REQUESTS_AT_MOST = 10
# Each request is mailed to teachers, and can be withdrawn and made again: so many a day, and of those to any teacher.
REQUESTS_PER_DAY = 15
REQUESTS_TO_ANY_PER_DAY = 3
SLOTS_AT_MOST = 6
# How far ahead a slot may be proposed.
SLOT_AT_MOST_AHEAD = timedelta(days=366)
SHORTEST_LESSON_MINUTES = 15
LONGEST_LESSON_MINUTES = 480
# Of an open request to any teacher only so many are mailed; all who match see it on their desk.
TEACHERS_MAILED_AT_MOST = 20
# What is promised about cancelling, frozen on the lesson when it is proposed and on the order line when it is bought.
CANCELLATION_POLICY = {"full_refund_hours": 48, "half_refund_hours": 24}
# After the lesson the student may contest it for so long; then the teacher's share becomes theirs.
CONTEST_WITHIN = timedelta(hours=72)
