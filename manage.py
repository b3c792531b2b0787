#!/usr/bin/env python
"""Django's command line for the marketplace."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # A migration may take longer than any page.
    settings.DATABASES["default"] = settings.DATABASE_OF_COMMANDS
    execute_from_command_line(sys.argv)
