"""The command line of `python -m sandbox`, and what it prints at the start."""

import argparse
import os
import socket
from collections.abc import Mapping, Sequence

from sandbox.options import DEFAULT_KEY, Options, RefusesToStart

DESCRIPTION = """\
A stand-in for Stripe's test mode on this machine: the API, Checkout and the other hosted pages, signed webhooks, and a
dashboard. Point a Stripe client at it with its key; no money moves."""
VARIABLES = """\
environment (README.md lists all variables):
  SANDBOX_HOST, SANDBOX_PORT   where it listens: 127.0.0.1, 12111
  SANDBOX_PUBLIC_URL           what the addresses of its pages begin with
  SANDBOX_DATABASE             its file: .local/sandbox.sqlite3
  SANDBOX_SECRET_KEY           its API key, sk_test_ and at least 24 letters or digits
  SANDBOX_WEBHOOK_URL          an endpoint for events
  SANDBOX_WEBHOOK_EVENTS       the types of event it receives, separated by commas: all
  SANDBOX_WEBHOOK_SECRET       the secret that signs them

It refuses to start with a live key or production settings."""
# The environment variable that each option sets.
_VARIABLE_OF = {
    "host": "SANDBOX_HOST",
    "port": "SANDBOX_PORT",
    "database": "SANDBOX_DATABASE",
    "forward_to": "SANDBOX_WEBHOOK_URL",
    "events": "SANDBOX_WEBHOOK_EVENTS",
}


def environment_of(arguments: Sequence[str]) -> Mapping[str, str]:
    """The variables that the arguments set. Exits after --help and for unknown arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description=DESCRIPTION,
        epilog=VARIABLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", metavar="HOST", help="listen here instead of SANDBOX_HOST")
    parser.add_argument("--port", metavar="PORT", help="listen here instead of SANDBOX_PORT")
    parser.add_argument("--database", metavar="FILE", help="keep everything here instead of in SANDBOX_DATABASE")
    parser.add_argument("--forward-to", metavar="URL", help="send events there, as SANDBOX_WEBHOOK_URL does")
    parser.add_argument("--events", metavar="TYPES", help="only these types, as SANDBOX_WEBHOOK_EVENTS does")
    given = vars(parser.parse_args(arguments))
    return {_VARIABLE_OF[name]: value for name, value in given.items() if value is not None}


def check_port(options: Options) -> None:
    """Raise RefusesToStart if another program listens on the port or the address cannot be bound."""
    where = f"{options.host}:{options.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            # As the server does: the port of a sandbox that has just stopped can be bound again.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise RefusesToStart(
            f"Cannot listen on {where}: {reason}. Another sandbox may be running there; choose another port with "
            "--port or SANDBOX_PORT."
        ) from error


def where_everything_is(options: Options) -> str:
    """The lines printed at the start."""
    key = (
        options.secret_key if options.secret_key == DEFAULT_KEY else f"{options.secret_key[:12]}… (SANDBOX_SECRET_KEY)"
    )
    lines = [
        f"Lectern sandbox (pretend Stripe) listening on {options.public_url}",
        f"  API        {options.public_url}/v1   key {key}",
        f"  Dashboard  {options.public_url}/",
        f"  Webhooks   {options.webhook_url or 'to endpoints made over the API; or start with --forward-to URL'}",
        f"  Database   {options.database}",
    ]
    if options.is_reachable_from_elsewhere:
        lines.append(f"  Note       {options.host} is open to other machines, and the dashboard asks for no password.")
    return "\n".join(lines) + "\n"
