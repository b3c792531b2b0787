"""Exactly once at every byte: the connection ends anywhere in the request or the reply, and the client repeats it.

Every operation that takes an `Idempotency-Key` has one effect and one answer, byte for byte. `make api-bytes` cuts at
every byte; `make test` where a part may pass for the whole.
"""

import os
import uuid

import pytest
from django.db import connection

from integrations.models import StoredAnswer
from integrations.tests.factories import token_and_secret
from ledger.entries import AccountKey, AccountKind
from ledger.opening import open_accounts
from tests.api.calling import address_of
from tests.api.cutting import cut_reply, cut_request, exchange, read_reply, repeat_until_answered, request_bytes
from tests.api.document import operations
from tests.api.scenes import SCENES

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
IS_FULL = os.environ.get("API_BYTES") == "all"
WITH_KEY = [name for name, operation in operations().items() if operation.takes_key]
# Counts of requests, and looks at Stripe that reading requests: not what a request was made for.
NOT_EFFECTS = {"django_cache", "django_session"}


class Try:
    """One request of an operation in a world of its own."""

    def __init__(self, url, name):
        operation, scene = operations()[name], SCENES[name][1]()
        _, secret = token_and_secret(scene.caller, name=uuid.uuid4().hex)
        self.url, self.user = url, scene.caller
        self.key = uuid.uuid4().hex
        self.request = request_bytes(
            url, operation.method, address_of(operation, scene), secret=secret, key=self.key, body=scene.body
        )
        self.before = rows()

    def rows_added(self):
        """How many rows of each kind the request has added or removed."""
        return {table: count - self.before[table] for table, count in rows().items() if count != self.before[table]}


def rows():
    """The number of rows of each table."""
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - NOT_EFFECTS)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables))
        return dict(cursor.fetchall())


def places_to_cut(message):
    """The numbers of bytes after which the connection ends: all, or those where a message may pass for complete."""
    if IS_FULL:
        return range(len(message) + 1)
    line_ends, head_ends, end = message.index(b"\r\n") + 2, message.index(b"\r\n\r\n") + 4, len(message)
    near = {0, 1, line_ends, head_ends - 2, head_ends, head_ends + 1, (head_ends + end) // 2, end - 1, end}
    return sorted(place for place in near if place <= end)


@pytest.fixture
def url(transactional_db, stripe_sandbox, web_server):
    # The first sale in a currency opens the platform's accounts in it; the effect of every try is that of a later one.
    open_accounts([AccountKey(AccountKind.PLATFORM_FEES, None, "GBP")])
    return web_server.url


def send_undisturbed(url, name):
    """The request without any cut: its bytes, the raw reply, and its effect."""
    once = Try(url, name)
    reply = exchange(url, once.request)
    assert reply.status == 200, reply
    return once, reply, once.rows_added()


def check_cut(url, name, cut, *, after, effect):
    once = Try(url, name)
    cut(url, once.request, after=after)
    first = repeat_until_answered(url, once.request)
    assert first.status == 200, (name, cut.__name__, after, first)
    assert once.rows_added() == effect, f"{name}: not one effect after {cut.__name__} at byte {after}."
    again = exchange(url, once.request)
    assert again.told == first.told, f"{name}: another reply after {cut.__name__} at byte {after}."
    assert once.rows_added() == effect, f"{name}: the repetition changed something ({cut.__name__} at {after})."
    stored = StoredAnswer.objects.get(user=once.user, key=once.key)
    assert (stored.status, bytes(stored.body)) == (first.status, first.body)


@pytest.mark.parametrize("name", WITH_KEY)
def test_a_request_that_is_cut_anywhere_has_one_effect_when_it_is_repeated(url, name):
    once, _, effect = send_undisturbed(url, name)
    for after in places_to_cut(once.request):
        check_cut(url, name, cut_request, after=after, effect=effect)


@pytest.mark.parametrize("name", WITH_KEY)
def test_a_reply_that_is_cut_anywhere_is_answered_alike_when_it_is_repeated(url, name):
    _, reply, effect = send_undisturbed(url, name)
    whole = reply.head + b"\r\n\r\n" + reply.body
    assert read_reply(whole) == reply
    for after in places_to_cut(whole):
        check_cut(url, name, cut_reply, after=after, effect=effect)
