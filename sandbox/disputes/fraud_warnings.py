"""Early fraud warnings: the card's bank reports a payment as fraud before it is disputed (docs: "Radar")."""

from sandbox import clock, identifiers, store
from sandbox.store import Body
from sandbox.webhooks.events import emit

KIND = "radar.early_fraud_warning"


def report_fraud(charge: Body, fraud_type: str = "misc") -> Body:
    """Create a warning for a charge; emits radar.early_fraud_warning.created. The balance does not change."""
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
    """Mark a charge's warnings as no longer actionable after a dispute or a full refund."""
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
