"""SQL sent directly to SQLite, for the few statements that every payment and every delivery repeats.

Django's cursor takes longer to translate such a statement than SQLite takes to run it. The statements use Django's
connection, so they are part of the current transaction.
"""

import sqlite3
from collections.abc import Sequence

from django.db import connection


def run(statement: str, values: Sequence[object]) -> sqlite3.Cursor:
    """Execute one statement with a value for each question mark. Raises the same errors as Django's cursors."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        found: sqlite3.Cursor = connection.connection.execute(statement, values)
    return found


def move_log_into_file() -> None:
    """Move SQLite's write-ahead log into the database file, as far as possible without blocking readers or writers."""
    run("PRAGMA wal_checkpoint(PASSIVE)", ()).fetchall()


def insert_into(table: str, row: dict[str, object]) -> None:
    """Insert a row, given by its columns; column names come from the code, never from a client."""
    marks = ", ".join("?" * len(row))
    run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()])  # noqa: S608
