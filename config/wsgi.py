"""Entry point of the web processes."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
# All addresses and their views, which else each process would load for itself with its first request.
get_resolver().url_patterns  # noqa: B018 - reading it loads them
