"""Derive everything into the second ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.module_loading import import_string

from payments.domains import domain_configs
from payments.models import StripeMovement
from payments.rebuilding.drafts import Draft
from payments.rebuilding.orders import drafts_of_orders
from payments.rebuilding.payouts import drafts_of_payouts
from payments.rebuilding.second_books import write_drafts
from payments.rebuilding.statement import drafts_of_own_movement
from payments.reconciliation.statement import Topic
from payments.reconciliation.statement_reading import as_movement

_MOVEMENTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Written:
    """How many journals the second ledger has so far, and how many of them were not derived but copied."""

    count: int = 0
    copied: int = 0


def rebuild(name: str, *, account: str, livemode: bool) -> Iterator[Written]:
    """Write all derivable journals into the schema `name`, a chunk at a time; yields what was written so far.

    Constant memory. Stripe's statement must have been read before.
    """
    written = Written()
    sources = (
        drafts_of_orders(livemode=livemode),
        drafts_of_payouts(livemode=livemode),
        _drafts_of_own_movements(account=account, livemode=livemode),
        *_drafts_of_domains(),
    )
    for source in sources:
        for drafts in source:
            copied = sum(draft.is_copied for draft in drafts)
            written = Written(written.count + write_drafts(name, drafts), written.copied + copied)
            yield written


def _drafts_of_domains() -> Iterator[Iterator[list[Draft]]]:
    """What domains book beside the sales, each as its AppConfig names it."""
    for config in domain_configs():
        if config.books:
            yield import_string(config.books)()


def _drafts_of_own_movements(*, account: str, livemode: bool) -> Iterator[list[Draft]]:
    last = 0
    rows = StripeMovement.objects.filter(account=account, livemode=livemode)
    # All keys of these two topics, which begin with their names.
    own = rows.filter(match_key__regex=rf"^({Topic.PLATFORM_PAYOUT}|{Topic.OTHER}):").order_by("pk")
    while chunk := list(own.filter(pk__gt=last)[:_MOVEMENTS_AT_ONCE]):
        last = chunk[-1].pk
        yield [draft for row in chunk for draft in drafts_of_own_movement(as_movement(row))]
