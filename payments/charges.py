"""What Stripe makes known of a payment some seconds after it: the charge, its balance transaction, and Stripe's fee."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from jobs.models import WorkPostponed
from payments import gateway
from payments.models import ChargeLookup, Payment

# Nothing waits for it, and after a big sale others wait for their purchases.
_FIRST_LOOK_AFTER = timedelta(seconds=10)
_LOOK_AGAIN_AFTER, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)


def have_charge_looked_up(payment: Payment) -> None:
    """Note that the charge of a payment which has just succeeded is to be looked up; a repeat changes nothing.

    One statement, in the transaction of the settlement. A payment without an intent has cost nothing.
    """
    if payment.stripe_payment_intent_id:
        lookup = ChargeLookup(payment=payment, run_after=timezone.now() + _FIRST_LOOK_AFTER)
        ChargeLookup.objects.bulk_create([lookup], ignore_conflicts=True)


def look_up_charge(lookup: ChargeLookup) -> None:
    """Store what Stripe says about a payment's charge. Raises WorkPostponed until all of it is known."""
    payment = lookup.payment
    facts = gateway.retrieve_charge(payment.stripe_payment_intent_id or "")
    Payment.objects.filter(pk=payment.pk).update(
        stripe_charge_id=facts.charge_id or None,
        stripe_balance_transaction_id=facts.balance_transaction_id or None,
        stripe_fee_minor=facts.fee.minor if facts.fee else None,
        stripe_fee_currency=facts.fee.currency if facts.fee else "",
    )
    if facts.fee is None:
        delay = min(_LOOK_AGAIN_AFTER * 2**lookup.postponements, _LONGEST_PAUSE)
        raise WorkPostponed("Stripe has not made the balance transaction known yet", delay=delay)
