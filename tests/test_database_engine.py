"""The health check of kept database connections."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept():
    """A separate connection, as a web process keeps one from request to request."""
    wrapper = connection.copy()
    wrapper.connect()
    yield wrapper
    wrapper.close()


def test_an_idle_connection_is_usable(kept):
    with kept.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert kept.is_usable()


def test_a_connection_the_server_ended_is_not_usable(kept):
    with kept.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    with connection.cursor() as other:
        # Waits until the server process is gone, so its last message and the end of the stream have been sent.
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    assert not kept.is_usable()
