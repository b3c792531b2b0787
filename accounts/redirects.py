"""Where a person may be sent after a form: only to addresses of this site."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.http import url_has_allowed_host_and_scheme


def is_own_address(url: str) -> bool:
    """Whether a target is a path of this site or an address under BASE_URL's host. Never raises, for any text."""
    own = urlsplit(settings.BASE_URL)
    return url_has_allowed_host_and_scheme(url, allowed_hosts={own.netloc}, require_https=own.scheme == "https")
