"""Fill a database with a hundred thousand orders and all that belongs to them: copies of what one student bought."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

import psycopg
from psycopg import sql

ORDERS: Final = 100_000
# One student bought more than any person does, one teacher sold half of everything; the rest is of a thousand people.
OF_STUDENT: Final = 5_000
OF_TEACHER: Final = ORDERS // 2
PEOPLE: Final = 1_000
OFFERS: Final = 20_000
# Copies get ids from here on, so that those that belong together have one number.
_BASE: Final = 1_000_000

_AGE = "now() - n * interval '97 seconds'"
# Spread over time, like the purchases of all others.
_STUDENT = f"CASE WHEN n %% {ORDERS // OF_STUDENT} = 0 THEN %(student)s ELSE {_BASE} + 1 + n %% {PEOPLE} END"
_TEACHER = f"CASE WHEN n %% {ORDERS // OF_TEACHER} = 0 THEN %(teacher)s ELSE {_BASE} + 1 + n %% {PEOPLE} END"
# A student has a course once.
_COURSE = f"CASE WHEN n %% {ORDERS // OF_STUDENT} = 0 THEN {_BASE} + n / {ORDERS // OF_STUDENT} ELSE {_BASE} + 1 + (n - 1) / {PEOPLE} END"
_BY_NUMBER = f"{_BASE} + n"
# Table, how many copies, and what is different in each. Other columns are those of the row that is copied.
_COPIES: tuple[tuple[str, int, dict[str, str]], ...] = (
    ("accounts_user", 2 * PEOPLE, {"email": "'copy' || n || '@example.org'"}),
    ("accounts_teacher", PEOPLE, {"slug": "'copy-' || n", "user_id": f"{_BASE + PEOPLE} + n", "applied_at": _AGE}),
    (
        "payments_order",
        ORDERS,
        {"number": "'C' || n", "cart_id": "NULL", "user_id": _STUDENT, "created_at": _AGE, "paid_at": _AGE},
    ),
    ("payments_orderline", ORDERS, {"order_id": _BY_NUMBER, "teacher_id": _TEACHER, "cart_line_id": "NULL"}),
    (
        "payments_payment",
        ORDERS,
        {
            "order_id": _BY_NUMBER,
            "reference": "gen_random_uuid()",
            "idempotency_key": "'copy-' || n",
            "stripe_session_id": "'cs_' || n",
            "stripe_payment_intent_id": "'pi_' || n",
            "stripe_charge_id": "NULL",
            "stripe_balance_transaction_id": "NULL",
            "created_at": _AGE,
        },
    ),
    (
        "payments_refund",
        ORDERS,
        {
            "payment_id": _BY_NUMBER,
            "idempotency_key": "'copy-' || n",
            "request_key": "'copy-' || n",
            "stripe_refund_id": "'re_' || n",
            "created_at": _AGE,
        },
    ),
    (
        "payments_payout",
        ORDERS,
        {"teacher_id": _TEACHER, "reference": "gen_random_uuid()", "requested_at": _AGE, "status": "'declined'", "note": "'No.'",
         "decided_at": _AGE, "ended_at": _AGE},
    ),
    (
        "bookings_lessonrequest",
        ORDERS,
        {"student_id": _STUDENT, "teacher_id": _TEACHER, "created_at": _AGE, "state": "'accepted'"},
    ),
    (
        "bookings_lesson",
        ORDERS,
        {"student_id": _STUDENT, "teacher_id": _TEACHER, "request_id": _BY_NUMBER, "order_line_id": "NULL",
         "proposed_at": _AGE, "state": "'proposed'", "confirmed_at": "NULL"},
    ),
    (
        "workshops_registration",
        ORDERS,
        {"buyer_id": _STUDENT, "order_line_id": _BY_NUMBER, "code": "'CODE' || n", "seat": "n + 10",
         "created_at": _AGE},
    ),
    ("courses_course", OF_STUDENT, {"slug": "'copy-' || n"}),
    (
        "courses_enrolment",
        ORDERS,
        {"student_id": _STUDENT, "course_id": _COURSE, "order_line_id": _BY_NUMBER,
         "activated_at": _AGE},
    ),
    ("catalogue_listing", OFFERS, {"reference": "'copy-' || n", "published_at": _AGE}),
    ("catalogue_listingprice", OFFERS, {"listing_id": _BY_NUMBER}),
)  # fmt: skip
# Each sale: what the teacher earns, and later that it matures, which changes nothing in total.
_LEDGER = """
INSERT INTO ledger_journal (id, source, kind, subject, description, recorded_at, effective_at, xact_id)
SELECT %(base)s + n, 'copy:' || n, CASE n %% 2 WHEN 0 THEN 'sale' ELSE 'earnings_matured' END, 'order:C' || n, '',
       now() - n * interval '97 seconds', now() - n * interval '97 seconds', pg_current_xact_id()::text::bigint
  FROM generate_series(1, %(orders)s) AS n;
INSERT INTO ledger_posting (amount_minor, recorded_at, effective_at, xact_id, account_id, journal_id)
SELECT -900, recorded_at, effective_at, xact_id, (SELECT min(id) FROM ledger_account WHERE teacher_id = %(teacher)s), id
  FROM ledger_journal WHERE id > %(base)s;
INSERT INTO ledger_posting (amount_minor, recorded_at, effective_at, xact_id, account_id, journal_id)
SELECT 900, recorded_at, effective_at, xact_id, (SELECT max(id) FROM ledger_account WHERE teacher_id = %(teacher)s), id
  FROM ledger_journal WHERE id > %(base)s AND kind = 'earnings_matured';
"""


def fill(connection: psycopg.Connection[Any], market: SimpleNamespace) -> str:
    """Copy the market's rows. Returns what there is."""
    people: dict[str, Any] = {"student": market.student.pk, "teacher": market.teacher.pk}
    with connection.transaction():
        # Copies name copies that are made later, and the triggers that keep the books would check each.
        connection.execute("SET LOCAL session_replication_role = replica")
        for table, count, changes in _COPIES:
            connection.execute(_statement(table, count, changes), people)
        # psycopg sends several statements only without parameters on the server's side.
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute(_LEDGER, {**people, "base": _BASE, "orders": ORDERS})
    connection.execute("VACUUM ANALYZE")
    return f"{ORDERS:,} orders, {OF_STUDENT:,} of them of one student and {OF_TEACHER:,} of one teacher"


def _statement(table: str, count: int, changes: dict[str, str]) -> sql.Composed:
    """Copy the newest row that the market made, `count` times."""
    changed = ", ".join(f"'{column}', {value}" for column, value in changes.items())
    return sql.SQL(
        f"INSERT INTO {table} SELECT made.* FROM {table} AS one, generate_series(1, {count}) AS n,"  # noqa: S608  # our own names
        f" LATERAL jsonb_populate_record(one, jsonb_build_object('id', {_BASE} + n, {changed})) AS made"
        f" WHERE one.id = (SELECT max(id) FROM {table} WHERE id < {_BASE})"
    ).format()
