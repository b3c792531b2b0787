"""Entry point of the dj-stripe arm."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.djstripe_settings"
application = get_wsgi_application()
