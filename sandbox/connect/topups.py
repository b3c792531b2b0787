"""Top-ups: the platform adds to its own balance from its bank (docs: "Add funds to your platform balance")."""

from sandbox import clock, identifiers, schedule, store
from sandbox.options import options
from sandbox.payments.balance import record_movement
from sandbox.protocol.errors import unexpected_state
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit


def create_topup(*, amount: int, currency: str, **fields: Body | str | None) -> Body:
    """Debit an amount in minor units from the bank; emits topup.created, and topup.succeeded when it arrives."""
    topup: Body = {
        "id": identifiers.new_id("tu_1", 23),
        "object": "topup",
        "amount": amount,
        "balance_transaction": None,
        "created": clock.now(),
        "currency": currency,
        "description": None,
        "expected_availability_date": int(clock.now() + options().async_delay),
        "failure_code": None,
        "failure_message": None,
        "initiated_by": "user",
        "livemode": False,
        "metadata": {},
        "payment_method": None,
        "source": None,
        "statement_descriptor": None,
        "status": "pending",
        "transfer_group": None,
        **fields,
    }
    store.insert(topup)
    emit("topup.created", topup)
    schedule.schedule("finish_topup", topup["id"], after=options().async_delay)
    return topup


@step("finish_topup")
def finish_topup(topup_id: str) -> None:
    """Book the money from the bank, available at once."""
    topup = store.fetch("topup", topup_id)
    if topup["status"] != "pending":
        return
    movement = record_movement(
        kind="topup",
        amount_minor=topup["amount"],
        currency=topup["currency"],
        source=topup_id,
        description=topup["description"],
        is_available=True,
    )
    topup |= {"status": "succeeded", "balance_transaction": movement["id"]}
    store.save(topup)
    previous = {"status": "pending", "balance_transaction": None}
    emit("topup.succeeded", topup, previous=previous, is_automatic=True)


def cancel_topup(topup: Body) -> Body:
    """Cancel a top-up; emits topup.canceled."""
    if topup["status"] != "pending":
        raise unexpected_state(
            f"Top-up {topup['id']} cannot be canceled because it has a status of {topup['status']}.",
            code="topup_unexpected_state",
        )
    topup["status"] = "canceled"
    store.save(topup)
    emit("topup.canceled", topup, previous={"status": "pending"})
    return topup
