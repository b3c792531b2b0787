"""Looking after a subscription, given up after many tries, alerts staff."""

import pytest
from django.db.models.functions import Now

from jobs import runner
from notifications.models import Alert
from subscriptions.models.follow_up import FollowUp
from subscriptions.tests.factories import make_subscription

pytestmark = pytest.mark.django_db


def test_a_parked_follow_up_raises_an_alert():
    work = FollowUp.objects.create(subscription=make_subscription())
    FollowUp.objects.update(state="running", attempts=FollowUp.max_attempts + 1, run_after=Now())
    work.refresh_from_db()
    runner.run(work)
    work.refresh_from_db()
    assert work.state == "parked"
    assert Alert.objects.count() == 1
