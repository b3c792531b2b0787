"""Cancel a workshop: nothing of it can be bought or delivered any more, and every registration is refunded."""

from __future__ import annotations

from django.db import transaction

from catalogue.listings import withdraw_listing
from payments.cancellations.sales import cancel_all_sold, latest_cancellation
from payments.models import SaleCancellation
from workshops import DOMAIN
from workshops.holds import release_all_holds
from workshops.models import Workshop


class NeverPublished(Exception):
    """A draft cannot be cancelled: no one has bought it."""


@transaction.atomic
def cancel_workshop(*, workshop: Workshop, reason: str, requested_by_id: int) -> SaleCancellation:
    """Cancel a workshop for good, and have all its registrations refunded in the background. A repeat does nothing.

    A payment that arrives later finds it cancelled and is refunded automatically, because all holds end here: their
    confirmation then needs the workshop's lock, under which it sees the state. Raises NeverPublished.
    """
    locked = Workshop.objects.select_for_update(no_key=True).get(pk=workshop.pk)
    if locked.state == Workshop.State.DRAFT:
        raise NeverPublished(locked.title)
    before = cancellation_of(locked)
    if locked.is_cancelled and before is not None:
        return before
    locked.state = workshop.state = Workshop.State.CANCELLED
    locked.cancel_reason = workshop.cancel_reason = reason[:300]
    locked.save(update_fields=["state", "cancel_reason", "updated_at"])
    withdraw_listing(domain=DOMAIN, reference=str(locked.pk))
    release_all_holds(locked)
    return cancel_all_sold(
        domain=DOMAIN,
        reference=str(locked.pk),
        title=locked.title,
        teacher_id=locked.teacher_id,
        reason=reason,
        requested_by_id=requested_by_id,
    )


def cancellation_of(workshop: Workshop) -> SaleCancellation | None:
    """How the refunds of a cancelled workshop were ordered; None if it is not cancelled."""
    return latest_cancellation(domain=DOMAIN, reference=str(workshop.pk))
