"""Use lesson credits: take one for a lesson, give it back, and let the teacher earn it. Each happens once.

Domains name what a credit is used for by a text of their own, such as private_teaching:lesson:12, and keep their own row
locked, so that two tabs never take two credits for one lesson.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from payments.orders import commission_rates
from subscriptions.books import book_credit_earned
from subscriptions.models import LessonCredit, Subscription, SubscriptionPeriod
from subscriptions.periods import release_credit

_USED_SHOWN = 20
_USABLE_ONCE_BACK = timedelta(days=14)


class NoCredit(Exception):
    """The person has no credit that can be used for this. The message is shown to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditBalance:
    """The credits that a person can use now."""

    count: int
    # When the first of them can no longer be used.
    next_end: datetime | None

    def __bool__(self) -> bool:
        return self.count > 0


def credit_balance(user_id: int) -> CreditBalance:
    """What a person can use now. One query."""
    ends = list(_usable(user_id).values_list("usable_until", flat=True))
    return CreditBalance(count=len(ends), next_end=min(ends, default=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCredits:
    """A person's credits for their page: what can be used, and what was used, the latest first."""

    balance: CreditBalance
    used: Sequence[LessonCredit]

    def __bool__(self) -> bool:
        return bool(self.balance) or bool(self.used)


def own_credits(user_id: int) -> OwnCredits:
    """A person's lesson credits. Two queries."""
    used = LessonCredit.objects.filter(period__subscription__user=user_id).exclude(used_for="")
    return OwnCredits(
        balance=credit_balance(user_id),
        used=list(used.select_related("teacher").order_by("-taken_at")[:_USED_SHOWN]),
    )


def usable_credits(user_id: int) -> list[LessonCredit]:
    """The credits that a person can use now, in the order in which they are used. One query."""
    return list(_usable(user_id))


def is_worth(credit: LessonCredit, least_values: Mapping[str, int]) -> bool:
    """Whether a credit is worth what a teacher agreed to at least, in minor units by currency."""
    return credit.currency in least_values and credit.value_minor >= least_values[credit.currency]


def take_credit(
    *, user_id: int, used_for: str, title: str, teacher_id: int, least_values: Mapping[str, int]
) -> LessonCredit:
    """Take the credit that ends first for a lesson of a teacher. Raises NoCredit.

    `least_values` is what the teacher agreed to be the least value of a credit, in minor units by currency. Call within
    the transaction that confirms the lesson, with the lesson locked.
    """
    # Of two lessons that take the last credit at once, the second waits here and then finds none.
    list(Subscription.objects.select_for_update().filter(user=user_id).order_by("pk").values_list("pk"))
    credit = _fitting(_usable(user_id), least_values).select_for_update(of=("self",)).first()
    if credit is None:
        raise NoCredit("You have no lesson credit that can be used for this lesson.")
    credit.state = LessonCredit.State.TAKEN
    credit.used_for, credit.title = used_for, title[:200]
    credit.teacher_id, credit.commission_bps = teacher_id, commission_rates({teacher_id})[teacher_id]
    credit.taken_at = timezone.now()
    credit.save(update_fields=["state", "used_for", "title", "teacher", "commission_bps", "taken_at"])
    return credit


def give_back_credit(used_for: str) -> bool:
    """Let the credit that was taken for this be used again, for two weeks at least; False if none is taken for it.

    If its period was refunded meanwhile, the credit is taken back instead.
    """
    credit = _taken(used_for)
    if credit is None:
        return False
    credit.state, credit.used_for, credit.title = LessonCredit.State.UNUSED, "", ""
    credit.teacher = credit.commission_bps = credit.taken_at = None
    # A lesson may be cancelled long after the credit's own end, also by the teacher.
    credit.usable_until = max(credit.usable_until, timezone.now() + _USABLE_ONCE_BACK)
    credit.save(update_fields=["state", "used_for", "title", "teacher", "commission_bps", "taken_at", "usable_until"])
    if credit.period.revoked_at is not None:
        release_credit(credit, LessonCredit.State.REVOKED, at=timezone.now())
    return True


def earn_credit(used_for: str) -> bool:
    """Let the teacher earn the credit that was taken for this; False if none is, or its holding time is not over."""
    credit = _taken(used_for)
    if credit is None or credit.period.created_at + settings.EARNINGS_HELD_FOR > timezone.now():
        return False
    credit.state, credit.ended_at = LessonCredit.State.EARNED, timezone.now()
    credit.save(update_fields=["state", "ended_at"])
    book_credit_earned(credit)
    return True


def taken_credit(used_for: str) -> LessonCredit | None:
    """The credit that was used for this, whether it is earned yet or not."""
    return LessonCredit.objects.filter(used_for=used_for).first() if used_for else None


def _usable(user_id: int) -> QuerySet[LessonCredit]:
    """Those of refunded periods have ended, so what is unused and not over can be used."""
    own = LessonCredit.objects.filter(period__subscription__user=user_id, state=LessonCredit.State.UNUSED)
    return own.filter(usable_until__gt=timezone.now()).order_by("usable_until", "pk")


def _fitting(credits_: QuerySet[LessonCredit], least_values: Mapping[str, int]) -> QuerySet[LessonCredit]:
    fits = Q(pk__in=[])
    for currency, least in least_values.items():
        fits |= Q(currency=currency, value_minor__gte=least)
    return credits_.filter(fits)


def _taken(used_for: str) -> LessonCredit | None:
    """The credit that is taken for this, locked after its period, so that a refund comes before or after, never between."""
    taken = LessonCredit.objects.filter(used_for=used_for, state=LessonCredit.State.TAKEN)
    list(
        SubscriptionPeriod.objects.select_for_update(no_key=True)
        .filter(pk__in=taken.values("period"))
        .values_list("pk")
    )
    return taken.select_for_update(of=("self",)).select_related("period").first()
