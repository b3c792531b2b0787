"""What lesson credits are worth, and the form with which a teacher takes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from accounts.models import Teacher
from bookings.models import CreditTerms
from bookings.rules import LONGEST_LESSON_MINUTES, SHORTEST_LESSON_MINUTES
from money import Money, split_by_rate
from payments.orders import commission_rates
from subscriptions.models import PlanPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedCredit:
    """A credit of one price of a plan: its value, and the teacher's share of it."""

    plan: str
    per: str
    value: Money
    share: Money


@dataclass(frozen=True, slots=True)
class OfferedCredits:
    """The credits of all plans on sale, as a teacher is shown them."""

    credits: Sequence[OfferedCredit]

    @property
    def least_values(self) -> dict[str, int]:
        """The lowest value in each currency, in minor units."""
        least: dict[str, int] = {}
        for credit in self.credits:
            least[credit.value.currency] = min(credit.value.minor, least.get(credit.value.currency, credit.value.minor))
        return least

    @property
    def digest(self) -> str:
        """Identifies what was shown, so that a teacher agrees to nothing else."""
        shown = [[credit.plan, credit.per, str(credit.value), str(credit.share)] for credit in self.credits]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()

    def is_below(self, agreed: Mapping[str, int]) -> bool:
        """Whether some credit on sale is worth less than was agreed, or is in a currency that was not."""
        return any(currency not in agreed or least < agreed[currency] for currency, least in self.least_values.items())


def offered_credits(teacher: Teacher) -> OfferedCredits:
    """The credits of all plans on sale, with this teacher's share of each. Two queries."""
    prices = PlanPrice.objects.filter(is_active=True, plan__is_on_sale=True, credits__gt=0).select_related("plan")
    rate = commission_rates({teacher.pk})[teacher.pk]
    return OfferedCredits(
        [
            OfferedCredit(
                plan=price.plan.name,
                per=price.get_interval_display(),
                value=price.credit_value,
                share=split_by_rate(price.credit_value, rate).share,
            )
            for price in prices.order_by("plan__position", "plan", "interval", "currency")
        ]
    )


class CreditTermsForm(forms.Form):
    """How long a lesson one credit is for. `shown` is the digest of the values that the teacher agrees to."""

    longest_minutes = forms.IntegerField(
        label="Longest lesson for one credit, in minutes",
        min_value=SHORTEST_LESSON_MINUTES,
        max_value=LONGEST_LESSON_MINUTES,
        initial=60,
        help_text="Longer lessons that you propose must be paid for.",
    )

    def __init__(
        self, *args: Any, offered: OfferedCredits, shown: str, terms: CreditTerms | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offered, self.shown = offered, shown
        if terms is not None:
            self.initial["longest_minutes"] = terms.longest_minutes

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or self.cleaned_data)
        if not self.offered.credits:
            raise forms.ValidationError("No plan on sale has lesson credits at the moment.")
        if self.shown != self.offered.digest:
            raise forms.ValidationError("What credits are worth has just changed. Look at it again before you agree.")
        return data
