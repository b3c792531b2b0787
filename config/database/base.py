"""The name of this module is fixed by Django: an engine is a package with a module `base`."""

import select

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg.pq import ConnStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """Finds out whether a kept connection still leads anywhere without a round trip for each request.

    An idle connection has nothing to read, unless the server closed it (restart, failover, kill): then the end of the
    stream waits to be read. So one look at the socket replaces the `SELECT 1` Django would send. A server that vanished
    without closing is not noticed by it, and neither would be one that vanishes a moment after a `SELECT 1`.
    """

    def is_usable(self) -> bool:
        """Whether the connection can be used for the next request."""
        if self.connection is None or self.connection.closed:
            return False
        try:
            poll = select.poll()
            poll.register(self.connection.fileno(), select.POLLIN)
            if poll.poll(0):
                self.connection.pgconn.consume_input()
        except (OperationalError, OSError):
            return False
        return bool(self.connection.pgconn.status == ConnStatus.OK)
