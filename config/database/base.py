"""The name of this module is fixed by Django: an engine is a package with a module `base`."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Finds out whether a kept connection still leads anywhere without a round trip for each request.

    An idle connection has nothing to read, unless the server closed it (restart, failover, kill): then its last words
    and the end of the stream wait to be read. So one look at the socket replaces the `SELECT 1` Django would send. What
    else may come unasked, such as a changed parameter after the server's settings were reloaded, costs a new connection.
    A server that vanished without closing is not noticed, and neither would be one that vanishes after a `SELECT 1`.
    """

    def is_usable(self) -> bool:
        """Whether the connection can be used for the next request."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)
