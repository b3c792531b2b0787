"""A site with a pooler in front of its database: `python -m tests.buying_behind_a_pooler`. Prints the final counts."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import django

# More threads than the pooler has connections, so that each connection passes from thread to thread.
BUYERS = 6
PAGES = ["/", "/browse/", "/cart/", "/accounts/login/"]


def main():
    django.setup()
    from django.db import connection

    from accounts.tests.factories import TeacherFactory
    from jobs.heartbeats import take_turn
    from payments import registry
    from payments.models import Order, WebhookEvent
    from payments.tests.sample_domain import SAMPLE

    registry._handlers[SAMPLE.domain] = SAMPLE
    teacher = TeacherFactory()
    with ThreadPoolExecutor(BUYERS) as pool:
        answers = [answer for answers in pool.map(buy, [teacher] * BUYERS) for answer in answers]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    with ThreadPoolExecutor(BUYERS) as pool:
        named = list(pool.map(rename, range(BUYERS * 5)))
    turns = [take_turn(name="a turn", every=timedelta(hours=1)) for _ in range(2)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name ~ '^(lock|statement|idle_in_transaction_session)_timeout$'"
        )
        limits = dict(cursor.fetchall())
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        connections = cursor.fetchone()[0]
    said = {
        "answers": sorted(set(answers)),
        "orders": list(Order.objects.values_list("state", flat=True)),
        "events": list(WebhookEvent.objects.values_list("state", flat=True)),
        "turns": turns,
        "named": named,
        "limits": limits,
        "connections": connections,
    }
    sys.stdout.write(json.dumps(said))


def buy(teacher):
    """Browse, order, and report the payment twice. Every statement may use another connection."""
    from django.db import connections
    from django.test import Client

    from payments.models import Payment
    from payments.tests.factories import event_of, open_order, sample_offer, session_object
    from payments.tests.test_webhook_endpoint import deliver

    try:
        visitor = Client(HTTP_HOST="localhost")
        answers = [visitor.get(page).status_code for page in PAGES]
        payment = open_order(sample_offer(teacher=teacher))
        event = event_of("checkout.session.completed", session_object(payment))
        answers += [deliver(event, client=visitor).status_code for _ in range(2)]
        # Rows in pages, which without a pooler are read through a server-side cursor.
        assert payment.pk in {one.pk for one in Payment.objects.iterator(chunk_size=1)}
        return answers
    finally:
        connections.close_all()


def rename(number):
    """Change one's name as a request does, then as SQL does: whether the audit trail names the right person for each."""
    import pghistory
    from django.db import connections

    from accounts.tests.factories import UserFactory
    from operations.models import Change

    try:
        user = UserFactory(email=f"renamed{number}@example.org")
        with pghistory.context(user=user.pk, source="site"):
            type(user).objects.filter(pk=user.pk).update(full_name="Ada")
        type(user).objects.filter(pk=user.pk).update(full_name="Bo")
        changes = Change.objects.filter(model="accounts.user", object_id=str(user.pk), action="update").order_by("pk")
        return [(one.actor_id, one.source) for one in changes] == [(user.pk, "site"), (None, "database")]
    finally:
        connections.close_all()


def work(_):
    from django.db import connections

    from jobs.runner import drain
    from payments.models import WebhookEvent

    try:
        drain(WebhookEvent, seconds=20)
    finally:
        connections.close_all()


if __name__ == "__main__":
    main()
