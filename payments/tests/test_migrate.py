"""Our creation of dj-stripe's tables has the same result as its own migrations."""

import os
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from payments.management.commands.migrate import create_djstripe_tables

COLUMNS = """
    select table_name, column_name, data_type, udt_name, character_maximum_length, numeric_precision, numeric_scale,
           is_nullable, column_default, is_identity, collation_name
    from information_schema.columns where table_schema = 'public' and starts_with(table_name, 'djstripe_')
"""
CONSTRAINTS = """
    select conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid), condeferrable, condeferred
    from pg_constraint where starts_with(conrelid::regclass::text, 'djstripe_')
"""
INDEXES = "select tablename, indexname, indexdef from pg_indexes where starts_with(tablename, 'djstripe_')"
RECORDED = "select app, name from django_migrations where app = 'djstripe'"


def connects_to(database):
    """Parameters for a connection to a database on the tests' server."""
    known = connection.settings_dict
    parameters = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    return {name: value for name, value in parameters.items() if value} | {"dbname": database}


@contextmanager
def an_empty_database(name):
    """An empty database on the tests' server; yields its address as a connection string and as a URL."""
    name = f"{name}_{os.getpid()}"
    with psycopg.connect(**connects_to("postgres"), autocommit=True) as admin:
        admin.execute(f'drop database if exists "{name}"')
        admin.execute(f'create database "{name}"')
        try:
            yield connects_to(name), urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
        finally:
            admin.execute(f'drop database "{name}" with (force)')


def migrate(database_url, *arguments):
    return run("manage.py", "migrate", "--skip-checks", *arguments, database_url=database_url)


def migrate_as_djstripe_does(database_url):
    run("-m", "payments.tests.djstripes_own_way", database_url=database_url)


def run(*arguments, database_url):
    """Run Python in a separate process on this database; returns its output."""
    environment = os.environ | {"DATABASE_URL": database_url, "LECTERN_ENV": "development"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def schema(parameters):
    with psycopg.connect(**parameters) as database:
        return {
            query: sorted(database.execute(query).fetchall(), key=repr)
            for query in (COLUMNS, CONSTRAINTS, INDEXES, RECORDED)
        }


@pytest.mark.slow
def test_djstripes_own_migrations_and_ours_create_the_same_tables():
    with an_empty_database("quick") as (quick, quick_url), an_empty_database("long") as (long, long_url):
        assert "Created dj-stripe's tables" in migrate(quick_url)
        migrate_as_djstripe_does(long_url)
        quick_schema, long_schema = schema(quick), schema(long)
        assert len(long_schema[COLUMNS]) > 100
        for query, rows in long_schema.items():
            assert quick_schema[query] == rows

        # The tables exist: nothing is created again, and both databases are fully migrated in the end.
        assert "Created dj-stripe's tables" not in migrate(quick_url)
        assert "Created dj-stripe's tables" not in migrate(long_url)
        assert schema(long) == long_schema
        migrate(quick_url, "--check")
        migrate(long_url, "--check")


@pytest.mark.django_db
def test_a_database_with_tables_of_djstripe_is_left_to_django():
    assert not create_djstripe_tables(connection)


@pytest.mark.django_db
def test_migrating_creates_the_cache_table():
    assert settings.CACHES["default"]["LOCATION"] in connection.introspection.table_names()
