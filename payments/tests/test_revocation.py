"""Units are revoked at their domain and counted on the line, in one step and never more than there are."""

import pytest
from django.db import IntegrityError, transaction

from payments.models import OrderLine
from payments.registry import _handlers
from payments.revocation import revoke_units
from payments.tests.factories import open_order, paid_order
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


def line_of(sold):
    return OrderLine.objects.select_related("order").get(order=sold.order)


def test_units_are_revoked_one_after_another_until_the_line_is_revoked():
    line = line_of(paid_order(1000, quantity=3))
    assert revoke_units(line=line, quantity=1, reason="cancelled", places=["2"]) == 1
    assert (SAMPLE.delivered[line.pk], line_of(line).state) == (["1", "3"], "fulfilled")
    assert revoke_units(line=line_of(line), quantity=5, reason="refunded") == 2
    assert SAMPLE.delivered[line.pk] == []
    stored = line_of(line)
    assert (stored.state, stored.revoked_quantity) == ("revoked", 3)
    assert revoke_units(line=stored, quantity=1, reason="again") == 0
    assert SAMPLE.calls["revoke", line.reference] == 2


def test_what_was_never_delivered_is_not_revoked():
    line = line_of(open_order())
    assert revoke_units(line=line, quantity=1, reason="cancelled") == 0
    assert SAMPLE.calls["revoke", line.reference] == 0


def test_a_line_of_a_removed_domain_is_revoked_all_the_same(monkeypatch):
    line = line_of(paid_order(1000))
    monkeypatch.delitem(_handlers, "sample")
    assert revoke_units(line=line, quantity=1, reason="refunded") == 1
    assert line_of(line).state == "revoked"


@pytest.mark.parametrize("changes", [{"state": "revoked"}, {"revoked_quantity": 1}, {"revoked_quantity": 2}])
def test_the_database_keeps_state_and_number_together(changes):
    line = line_of(paid_order(1000))
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderLine.objects.filter(pk=line.pk).update(**changes)
