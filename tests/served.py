"""A site of a few lines, served as Lectern is: what a client sees of the server in front of it, without the rest."""

import hashlib
import os
import time

LARGE = b"0123456789abcdef" * 65536 * 8


def application(environ, start_response):
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read()
    if path == "/slow":
        time.sleep(1.5)
    said = {
        "/": b"well",
        "/slow": b"done",
        "/pid": str(os.getpid()).encode(),
        "/large": LARGE,
        "/digest": f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode(),
        "/environ": "\n".join(f"{name}={value!r}" for name, value in sorted(environ.items())).encode(),
    }.get(path, path.encode("latin-1"))
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Twice", "1"), ("X-Twice", "2")])
    if path == "/broken":
        raise RuntimeError("broken on purpose")
    return [said[: len(said) // 2], said[len(said) // 2 :]]
