"""What the audit trail costs a sale: nothing for workers, a few rows otherwise."""

import pghistory
import pytest

from operations.models import Change
from payments import registry
from payments.tests.factories import open_order, paid_order, sample_offer
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sample_domain(monkeypatch):
    monkeypatch.setitem(registry._handlers, SAMPLE.domain, SAMPLE)


def test_an_order_that_workers_complete_adds_no_row_of_its_own():
    with pghistory.context(source="work"):
        before = set(Change.objects.filter(model__startswith="payments.").values_list("pk", flat=True))
        paid_order(1000, 2000, quantity=2)
        after = set(Change.objects.filter(model__startswith="payments.").values_list("pk", flat=True))
    assert after == before


def test_an_order_that_is_paid_otherwise_adds_a_few():
    order = paid_order(1000)
    changes = Change.objects.filter(model__startswith="payments.")
    assert changes.exists(), order
    assert changes.count() <= 6


def test_sql_that_alters_an_order_is_kept_even_so():
    payment = open_order(sample_offer())
    type(payment.order).objects.filter(pk=payment.order_id).update(cancel_reason="Because.")
    [change] = Change.objects.filter(model="payments.order")
    assert change.after == {"cancel_reason": "Because."}
