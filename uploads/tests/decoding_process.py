"""A process that reads the same picture in several threads: `python -m uploads.tests.decoding_process FILE THREADS SHAPE`.

Prints how many were read, how many were refused, by how many MB its memory grew at most, and when each decoding began
and ended by the machine's clock.
"""

import json
import sys
import threading
import time
from pathlib import Path

import django


def peak_megabytes():
    # ru_maxrss would include the memory of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(path, threads, shape):
    django.setup()
    from django.core.exceptions import ValidationError
    from django.core.files.base import ContentFile
    from django.db import connection

    from uploads import pictures

    content = Path(path).read_bytes()
    times, outcomes = [], []
    make = pictures._make

    def timed(*arguments):
        began = time.monotonic()
        try:
            return make(*arguments)
        finally:
            times.append((began, time.monotonic()))

    def read():
        while True:
            try:
                pictures.read_picture(ContentFile(content), shape=getattr(pictures, shape))
                outcomes.append("read")
            except ValidationError as refusal:
                if refusal.code == "busy":
                    continue
                outcomes.append(refusal.code)
            break
        connection.close()

    pictures._make = timed
    connection.ensure_connection()
    before = peak_megabytes()
    readers = [threading.Thread(target=read) for _ in range(threads)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    json.dump({"outcomes": outcomes, "grown": peak_megabytes() - before, "times": times}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
