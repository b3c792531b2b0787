"""Inquiries, which come before a dispute. The balance does not change; a full refund or 120 days close them."""

from sandbox import schedule, store
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

INQUIRY_STATUSES = ("warning_needs_response", "warning_under_review")
INQUIRY_SECONDS = 120 * 24 * 3600


def is_inquiry(dispute: Body) -> bool:
    """Whether a dispute is an open inquiry."""
    return dispute["status"] in INQUIRY_STATUSES


def end_inquiry_later(dispute: Body) -> None:
    """Schedule the close of an inquiry after 120 days (docs: "How disputes work", inquiries)."""
    schedule.schedule("inquiry_ends", dispute["id"], at=dispute["created"] + INQUIRY_SECONDS)


def close_inquiry(dispute: Body, *, is_automatic: bool = True) -> Body:
    """End an inquiry without a chargeback; emits charge.dispute.closed."""
    previous = {"status": dispute["status"]}
    dispute["status"] = "warning_closed"
    store.save(dispute)
    emit("charge.dispute.closed", dispute, previous=previous, is_automatic=is_automatic)
    return dispute


def close_inquiries_of(charge: Body) -> None:
    """Close the inquiries about a charge that was refunded in full."""
    if not charge["refunded"]:
        return
    for dispute in store.rows("dispute").filter(charge=charge["id"]).values_list("body", flat=True):
        if is_inquiry(dispute):
            close_inquiry(dispute)


@step("inquiry_ends")
def inquiry_ends(dispute_id: str) -> None:
    """Close an inquiry whose 120 days have passed."""
    dispute = store.fetch("dispute", dispute_id)
    if is_inquiry(dispute):
        close_inquiry(dispute)
