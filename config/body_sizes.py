"""The maximum size of a request's body, for both the web server's process and the middleware.

The web server imports this before the site is set up, so it must not import any of it.
"""

from __future__ import annotations

from django.conf import settings


def largest_body(path: str) -> int:
    """Return the maximum size of a request to `path`, in bytes."""
    for beginning, largest in settings.LARGEST_BODY_BYTES_BELOW.items():
        if path.startswith(beginning):
            return int(largest)
    return int(settings.LARGEST_BODY_BYTES)
