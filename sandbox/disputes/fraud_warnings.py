"""Early fraud warnings: the card's bank reports a payment as fraud before it is disputed (docs: "Radar")."""

from sandbox import clock, identifiers, store
from sandbox.store import Body
from sandbox.webhooks.events import emit

KIND = "radar.early_fraud_warning"


def report_fraud(charge: Body, fraud_type: str = "misc") -> Body:
    """The bank reports a charge; emits radar.early_fraud_warning.created. No money moves."""
    warning = store.insert(
        {
            "id": identifiers.new_id("issfr_1", 23),
            "object": KIND,
            "actionable": not (charge["disputed"] or charge["refunded"]),
            "charge": charge["id"],
            "created": clock.now(),
            "fraud_type": fraud_type,
            "livemode": False,
            "payment_intent": charge["payment_intent"],
        }
    )
    emit("radar.early_fraud_warning.created", warning, is_automatic=True)
    return warning


def settle_warnings_of(charge: Body) -> None:
    """A dispute or a full refund leaves nothing to be done about a warning."""
    if not (charge["disputed"] or charge["refunded"]):
        return
    for warning in store.rows(KIND).filter(charge=charge["id"]).values_list("body", flat=True):
        if warning["actionable"]:
            warning["actionable"] = False
            store.save(warning)
            emit(
                "radar.early_fraud_warning.updated",
                warning,
                previous={"actionable": True},
                is_automatic=True,
            )
