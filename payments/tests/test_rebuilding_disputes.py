"""Disputes from before their steps were kept: their journals are copied into the second ledger, all others derived."""

import pytest

from payments.models import Dispute, DisputeStep
from payments.rebuilding.rebuild import rebuild
from payments.rebuilding.second_books import compare_books, create_second_books
from payments.tests.disputing import Case
from payments.tests.factories import paid_order
from payments.tests.test_earlier_sales import without_triggers

pytestmark = pytest.mark.django_db


def reopened():
    """Lost, and won after all: held, lost, and released."""
    case = Case(paid_order(4000, 2000))
    case.open()
    case.lose()
    case.win()
    return Dispute.objects.get()


def forget(*numbers):
    with without_triggers():
        DisputeStep.objects.filter(number__in=numbers)._raw_delete("default")


def rebuilt():
    """How many journals were copied, and the sources in which the two ledgers differ."""
    create_second_books("ashes")
    *_, written = rebuild("ashes", account="acct_1", livemode=False)
    comparison = compare_books("ashes")
    assert comparison.is_equal == (not comparison.only_first + comparison.only_second + comparison.different)
    return written.copied, comparison.only_first + comparison.only_second + comparison.different


@pytest.mark.parametrize(
    ("forgotten", "copied"), [((), 0), ((1,), 2), ((2,), 3), ((3,), 2), ((1, 2), 4), ((1, 2, 3), 4)]
)
def test_the_hash_is_the_same_whichever_steps_were_not_kept(forgotten, copied):
    assert reopened().steps == 3
    forget(*forgotten)
    assert rebuilt() == (copied, [])


def test_a_step_is_derived_if_it_and_the_one_before_were_kept():
    """What the ledger has of these steps may therefore be wrong, and is found."""
    reopened()
    with without_triggers() as cursor:
        cursor.execute(
            "UPDATE ledger_posting SET amount_minor = amount_minor * 2 WHERE journal_id ="
            " (SELECT id FROM ledger_journal WHERE source LIKE 'dispute:%:lost:2')"
        )
    copied, differing = rebuilt()
    assert copied == 0
    assert [source.rpartition(":")[0].rpartition(":")[2] for source in differing] == ["lost"]
