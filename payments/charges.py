"""The charge of a payment, its balance transaction and Stripe's fee, which Stripe reports some seconds later."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from jobs.models import WorkPostponed
from payments import gateway
from payments.earnings.stripe_costs import book_costs_of_charge
from payments.models import ChargeLookup, Payment

# The result is not urgent; right after a big sale, deliveries are.
_FIRST_LOOK_AFTER = timedelta(seconds=10)
_LOOK_AGAIN_AFTER, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)


def request_charge_lookup(payment: Payment) -> None:
    """Queue the look-up of the charge of a payment that has just succeeded; a repeat changes nothing.

    One statement, in the transaction of the settlement. A payment without an intent was free and has no charge.
    """
    if payment.stripe_payment_intent_id:
        lookup = ChargeLookup(payment=payment, run_after=timezone.now() + _FIRST_LOOK_AFTER)
        ChargeLookup.objects.bulk_create([lookup], ignore_conflicts=True)


def look_up_charge(lookup: ChargeLookup) -> None:
    """Store and book what Stripe reports about a payment's charge. Raises WorkPostponed until the fee is known too."""
    payment = lookup.payment
    facts = gateway.retrieve_charge(payment.stripe_payment_intent_id or "")
    Payment.objects.filter(pk=payment.pk).update(
        stripe_charge_id=facts.charge_id or None,
        paid_with=facts.paid_with,
        billed_to=facts.billed_to,
        billed_country=facts.billed_country,
    )
    if facts.balance_transaction is None:
        delay = min(_LOOK_AGAIN_AFTER * 2**lookup.postponements, _LONGEST_PAUSE)
        raise WorkPostponed("Stripe has not reported the balance transaction yet", delay=delay)
    book_costs_of_charge(payment, facts.balance_transaction)
