"""Fill a database with ten thousand teachers and their work, in a few statements."""

from __future__ import annotations

from typing import Any, Final

import psycopg

TEACHERS: Final = 10_000
SUBJECTS: Final = 40
# The subject of all teachers, and after it one of ten teachers without work.
EVERYONES: Final = SUBJECTS + 1
OPEN_REQUESTS: Final = 2_000
UPCOMING: Final = 20_000
PAST: Final = 100_000
# Students who have not asked yet, by their ids: some ask one after the other, some at once.
_FIRST_STUDENT = TEACHERS + 1
ONE_AT_A_TIME = range(_FIRST_STUDENT, _FIRST_STUDENT + 1_000)
CROWD = range(_FIRST_STUDENT + 1_000, _FIRST_STUDENT + 1_200)
_OTHERS = _FIRST_STUDENT + 1_200

_PEOPLE = """
INSERT INTO accounts_user (id, password, is_superuser, email, full_name, is_staff, is_active, date_joined, time_zone, language)
SELECT n, '', false, 'person' || n || '@example.org', 'Person ' || n, false, true, now(), 'Europe/London', 'en-gb'
  FROM generate_series(1, %(people)s) AS n
"""
_ADDRESSES = """
INSERT INTO account_emailaddress (user_id, email, verified, "primary") SELECT id, email, true, true FROM accounts_user
"""
# Each quality changes in another rhythm than the subject, so that every subject has teachers of every kind.
_TEACHERS = """
INSERT INTO accounts_teacher (id, user_id, slug, status, display_name, headline, biography, photo, languages, regions,
                              applied_at, decision_note)
SELECT n, n, 'teacher-' || n, 'approved', 'Teacher ' || n, '', '', '', '{en}',
       CASE n / 400 %% 10 WHEN 9 THEN '{FR}' WHEN 8 THEN '{}' ELSE '{GB,IE}' END::varchar[], now(), ''
  FROM generate_series(1, %(teachers)s) AS n
"""
_SUBJECTS = """
INSERT INTO catalogue_subject (id, name, slug, chosen_tone, chosen_motif)
SELECT n, 'Subject ' || n, 'subject-' || n, '', '' FROM generate_series(1, %(subjects)s + 2) AS n
"""
_EXPERTISE = """
INSERT INTO catalogue_expertise (teacher_id, subject_id, levels)
SELECT n, subject, CASE n / 40 %% 4 WHEN 0 THEN '{advanced}' ELSE '{beginner,intermediate}' END::varchar[]
  FROM generate_series(1, %(teachers)s) AS n,
       LATERAL (VALUES (n %% %(subjects)s + 1), ((n + 7) %% %(subjects)s + 1), (%(subjects)s + 1)) AS taught (subject)
UNION ALL SELECT n * 40 + 2, %(subjects)s + 2, '{beginner}' FROM generate_series(1, 10) AS n
"""
_AVAILABILITY = """
INSERT INTO bookings_availability (teacher_id, is_paused, days)
SELECT n, n / 80 %% 20 = 3, CASE n / 160 %% 5 WHEN 4 THEN '{sat,sun}' ELSE '{}' END::varchar[]
  FROM generate_series(1, %(teachers)s, 2) AS n
"""
_REQUESTS = """
INSERT INTO bookings_lessonrequest (student_id, teacher_id, is_to_any_teacher, subject_id, level, goals, preferred_days,
                                    preferred_parts, preferred_times, region, meeting, teacher_note, state, created_at)
SELECT %(others)s + n %% 5000, n * 7 %% %(teachers)s + 1, false, n %% %(subjects)s + 1, 'beginner', '', '{}', '{}', '', 'GB',
       'online', '', CASE WHEN n <= %(open)s THEN 'open' ELSE 'accepted' END, now()
  FROM generate_series(1, %(open)s + %(lessons)s) AS n
    ON CONFLICT DO NOTHING
"""
# A confirmed lesson for each accepted request: the first ones are ahead, the others over.
_LESSONS = """
INSERT INTO bookings_lesson (request_id, teacher_id, student_id, period, state, order_line_id, amount_minor, currency,
                             is_online, meeting_url, place, time_zone, policy, proposed_at, cancel_reason)
SELECT id, teacher_id, student_id, tstzrange(starts, starts + interval '1 hour'), 'confirmed', id, 4000, 'GBP', true, '', '', '',
       '{}', now(), ''
  FROM (SELECT *, now() + CASE WHEN number <= %(upcoming)s THEN number * interval '2 hours'
                               ELSE (%(upcoming)s - number - 1) * interval '2 hours' END AS starts
          FROM (SELECT *, row_number() OVER (ORDER BY id) AS number FROM bookings_lessonrequest WHERE state = 'accepted')
               AS accepted) AS timed
"""
_NEXT_IDS = """
SELECT setval(pg_get_serial_sequence(name, 'id'), 10000000)
  FROM unnest(ARRAY['accounts_user', 'accounts_teacher', 'catalogue_subject']) AS name
"""


def fill(connection: psycopg.Connection[Any]) -> str:
    """Store people, what they teach and their work; returns what there is now, in words."""
    numbers = {
        "people": _OTHERS + 5_000,
        "others": _OTHERS,
        "teachers": TEACHERS,
        "subjects": SUBJECTS,
        "open": OPEN_REQUESTS,
        "upcoming": UPCOMING,
        "lessons": UPCOMING + PAST,
    }
    connection.execute("SET session_replication_role = replica")  # no checks of references, row by row
    for statement in (_PEOPLE, _ADDRESSES, _TEACHERS, _SUBJECTS, _EXPERTISE, _AVAILABILITY, _REQUESTS, _LESSONS):
        connection.execute(statement, numbers)
    connection.execute(_NEXT_IDS)
    connection.execute("SET session_replication_role = DEFAULT")
    connection.execute("VACUUM ANALYZE")
    counted = "SELECT count(*) FROM bookings_lessonrequest WHERE state = 'open'"
    [open_requests] = connection.execute(counted).fetchone() or [0]
    ahead = "SELECT count(*), count(*) FILTER (WHERE upper(period) > now()) FROM bookings_lesson"
    [lessons, upcoming] = connection.execute(ahead).fetchone() or [0, 0]
    return f"{TEACHERS:,} teachers, {open_requests:,} open requests, {upcoming:,} of {lessons:,} lessons ahead"
