"""The parameters of every call, as the sandbox declares them.

The sandbox is a separate Django project, which the tests' process cannot load beside Lectern's, so another process prints
the table.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@cache
def all_routes() -> tuple[dict[str, Any], ...]:
    """Every route as `method`, `path` (with `:names` for ids), `accepts` and `required`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SANDBOX_", "STRIPE_"))}
    environment["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    printed = subprocess.run(
        [sys.executable, "-m", "sandbox.tests.route_table"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed.returncode == 0, printed.stderr
    return tuple(json.loads(printed.stdout))


def described(spec: Any) -> dict[str, Any]:
    """The declaration of a parameter as plain data: its class under `kind`, and its fields."""
    plain: dict[str, Any] = {"kind": type(spec).__name__}
    for field in fields(spec) if is_dataclass(spec) else ():
        value = getattr(spec, field.name)
        if hasattr(value, "read"):
            plain[field.name] = described(value)
        elif isinstance(value, Mapping):
            plain[field.name] = {name: described(inner) for name, inner in value.items()}
        elif isinstance(value, tuple) and value and hasattr(value[0], "read"):
            plain[field.name] = [described(inner) for inner in value]
        elif isinstance(value, tuple | int | str | bool):
            plain[field.name] = value
    return plain


def print_all() -> None:
    """Print the table; runs with the sandbox's own settings."""
    import django

    django.setup()
    import sandbox.resources  # noqa: F401 -- importing them registers their routes
    from sandbox.protocol.routing import _routes

    table = [
        {"method": entry.method, "path": "/" + "/".join(entry.segments), "accepts": described(entry.accepts)}
        for entries in _routes.values()
        for entry in entries
    ]
    sys.stdout.write(json.dumps(table))


if __name__ == "__main__":
    print_all()
