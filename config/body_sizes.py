"""How large the body of a request may be, for the web server's process and the middleware alike.

The web server imports this before the site is set up, so it must not import any of it.
"""

from __future__ import annotations

from django.conf import settings


def largest_body(path: str) -> int:
    """Return how many bytes a request to `path` may carry."""
    for beginning, largest in settings.LARGEST_BODY_BYTES_BELOW.items():
        if path.startswith(beginning):
            return int(largest)
    return int(settings.LARGEST_BODY_BYTES)
