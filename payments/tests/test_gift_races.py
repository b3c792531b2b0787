"""Gifts under parallel connections."""

import pytest
from django.utils import timezone

from accounts.tests.factories import UserFactory
from jobs.invariants import broken, installed_invariants
from payments.cancellations.lines import CannotCancel, cancel_for_student, offer_cancellation
from payments.gifts.redeeming import CannotRedeem, redeem_gift
from payments.models import Gift, OrderLine, Refund
from payments.tests.gift_factories import code, paid_gift
from payments.tests.races import at_once, one_waits_for_the_other
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_ten_people_one_redeems_it():
    gift = paid_gift()
    typed, people = code(gift), [UserFactory() for _ in range(10)]
    outcomes = at_once(*(lambda person=person: redeem_gift(text=typed, user=person) for person in people))
    winners = [outcome for outcome in outcomes if isinstance(outcome, Gift)]
    assert len(winners) == 1
    assert all(isinstance(outcome, CannotRedeem) for outcome in outcomes if outcome not in winners)
    assert SAMPLE.holders == {gift.line_id: Gift.objects.get().receiver_id}
    assert broken(installed_invariants()) == {}


def cancel(gift):
    line = OrderLine.objects.select_related("order").get(pk=gift.line_id)
    digest = offer_cancellation(line=line, keys=["1"], at=timezone.now()).digest
    return lambda: cancel_for_student(line_id=line.pk, keys=["1"], digest=digest)


@pytest.mark.parametrize("is_cancelled_first", [True, False])
def test_a_cancellation_and_a_redemption_never_both_win(is_cancelled_first):
    gift, ada = paid_gift(), UserFactory()
    typed, cancelling = code(gift), cancel(gift)

    def redeeming():
        return redeem_gift(text=typed, user=ada)

    if is_cancelled_first:
        _, late = one_waits_for_the_other(cancelling, redeeming)
        assert isinstance(late, CannotRedeem)
        assert (SAMPLE.holders, Refund.objects.count()) == ({}, 1)
    else:
        _, late = one_waits_for_the_other(redeeming, cancelling)
        assert isinstance(late, CannotCancel)
        assert (SAMPLE.holders, Refund.objects.count()) == ({gift.line_id: ada.pk}, 0)
