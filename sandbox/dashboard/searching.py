"""Search objects by an id, a name, an email address or an amount."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from django.db.models import Q

from sandbox.models import StoredObject
from sandbox.protocol.money import THREE_DECIMAL, ZERO_DECIMAL

Search: TypeAlias = Callable[[str], Q]
MOST_CUSTOMERS = 200
LONGEST = 200
_AMOUNT = re.compile(r"^[^\d.,-]{0,5}\s*(-?\d[\d,]{0,12}(?:\.\d{1,3})?)\s*[A-Za-z]{0,3}$")


def anything(words: str) -> Q:
    """By an id or its beginning, or by the customer's id."""
    return Q(object_id__startswith=words) | Q(customer=words)


def by_name(words: str) -> Q:
    """By an id, a name or a code."""
    return anything(words) | Q(body__name__icontains=words) | Q(body__code__icontains=words)


def by_contact(words: str) -> Q:
    """By an id, a name or an email address."""
    return anything(words) | Q(body__name__icontains=words) | Q(body__email__icontains=words)


def payments_by(words: str) -> Q:
    """By an id, the customer (id, name or email), the description, or an amount in major units."""
    found = anything(words) | Q(payment_intent=words) | Q(charge=words) | Q(body__description__icontains=words)
    amount = _AMOUNT.match(words)
    if amount:
        found |= _amount(amount.group(1))
    else:
        customers = StoredObject.objects.filter(by_contact(words), kind="customer")
        found |= Q(customer__in=list(customers.values_list("object_id", flat=True)[:MOST_CUSTOMERS]))
        found |= _paid_by_guest(words)
    return found


def _paid_by_guest(words: str) -> Q:
    """Charges with an email address, and their payments: guests have no customer object."""
    charges = StoredObject.objects.filter(kind="charge", body__billing_details__email__icontains=words)
    intents = charges.order_by("-pk").values_list("payment_intent", flat=True)[:MOST_CUSTOMERS]
    return Q(body__billing_details__email__icontains=words) | Q(object_id__in=[one for one in intents if one])


def _amount(written: str) -> Q:
    """By an amount in major units, converted for each number of decimals: ¥500 and $5.00 are both 500 minor units."""
    try:
        major = Decimal(written.replace(",", ""))
    except InvalidOperation:
        return Q(pk=None)
    three = Q(body__currency__in=sorted(THREE_DECIMAL))
    none = Q(body__currency__in=sorted(ZERO_DECIMAL))
    places = ((Q(~three & ~none), 100), (three, 1000), (none, 1))
    found = Q(pk=None)
    for currencies, factor in places:
        if major * factor == int(major * factor):
            found |= Q(currencies, body__amount=int(major * factor))
    return found
