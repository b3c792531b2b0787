"""The site is loaded once and shared by the processes that serve it, which only works while loading shares nothing else."""

import os
import subprocess
import sys

from django.conf import settings

LOAD = """
import threading
import config.wsgi
from django.db import connections
import psutil

print(threading.active_count(), psutil.Process().net_connections(), [one.connection for one in connections.all()])
"""


def test_loading_the_site_opens_no_connection_and_starts_no_thread():
    command = [sys.executable, "-c", LOAD]
    environment = os.environ | {"LECTERN_ENV": "development"}
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1 [] [None]\n"
