"""Entry point of the web processes."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
# Loads every view now; otherwise each process would load them with its first request.
import_module("config.urls")
