"""Sends the request of a scene in-process."""

import json
import uuid
from urllib.parse import quote, urlencode

from django.test import Client

from integrations.tests.factories import program_of
from tests.api.document import operations


def address_of(operation, scene, path=None):
    """The address of the scene's request; at `path` instead of the documented one, if given."""
    address = path or operation.path
    for name, value in scene.path.items():
        address = address.replace(f"{{{name}}}", quote(str(value)))
    return f"{address}?{urlencode(scene.query, doseq=True)}" if scene.query else address


def program(user, *scopes):
    """A client with a token of its own; without one for a guest."""
    if user is None:
        return Client(enforce_csrf_checks=True)
    return program_of(user, *scopes, name=uuid.uuid4().hex)


def call(client, operation_id, scene, *, path=None, key=None, **options):
    operation = operations()[operation_id]
    headers = {"Idempotency-Key": key or uuid.uuid4().hex} if operation.takes_key else {}
    return client.generic(
        operation.method.upper(),
        address_of(operation, scene, path),
        data=b"" if scene.body is None else json.dumps(scene.body).encode(),
        content_type="application/json",
        headers=headers,
        **options,
    )
