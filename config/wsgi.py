"""Entry point of the web processes."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
# The addresses bring every view with them, which else each process would load for itself with its first request.
import_module("config.urls")
