"""The database backend. Django requires the name: an engine is a package with a module `base`."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks whether a persistent connection is still usable without a round trip for each request.

    An idle connection has nothing to read, unless the server has closed it (restart, failover, kill): then its last
    message and the end of the stream can be read. So polling the socket replaces Django's `SELECT 1`. Other unsolicited
    messages, such as a changed parameter after the server's settings were reloaded, cost a new connection. A server that
    disappears without closing is not noticed; nor would `SELECT 1` notice one that disappears right after it.
    """

    def is_usable(self) -> bool:
        """Whether the connection can be used for the next request."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)
