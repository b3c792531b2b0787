from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


def due(*, needs_fetch: bool, name: str) -> models.Index:
    is_due = models.Q(state__in=["waiting", "running"], needs_fetch=needs_fetch)
    return models.Index(fields=["priority", "run_after"], condition=is_due, name=name)


class Migration(migrations.Migration):
    # Built while the site runs: Stripe waits while an event is stored.
    atomic = False
    dependencies = [("payments", "0017_lanes_of_events")]

    operations = [
        AddIndexConcurrently(model_name="webhookevent", index=due(needs_fetch=False, name="event_due")),
        AddIndexConcurrently(model_name="webhookevent", index=due(needs_fetch=True, name="event_due_to_fetch")),
        RemoveIndexConcurrently(model_name="webhookevent", name="payments_webhookevent_due"),
    ]
