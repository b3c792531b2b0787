"""Statements that go straight to SQLite, for the few that every payment and every delivery repeats.

Django's cursor takes longer to translate such a statement than SQLite takes to answer it. They run on Django's own
connection, so they are part of whatever transaction is open.
"""

import sqlite3
from collections.abc import Sequence

from django.db import connection


def run(statement: str, values: Sequence[object]) -> sqlite3.Cursor:
    """Execute one statement with a value for each of its question marks. Raises what Django's own cursors raise."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        found: sqlite3.Cursor = connection.connection.execute(statement, values)
    return found


def move_log_into_file() -> None:
    """Move SQLite's log into its file, as far as possible without stopping readers and writers."""
    run("PRAGMA wal_checkpoint(PASSIVE)", ()).fetchall()


def insert_into(table: str, row: dict[str, object]) -> None:
    """Add a row, given by its columns; the names are the caller's own, never a client's."""
    marks = ", ".join("?" * len(row))
    run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()])  # noqa: S608
