"""The performers of transfers and reversals, and the alerts when they are parked."""

from __future__ import annotations

from jobs.registry import performs
from notifications.alerts import raise_alert
from payments.models import PayoutReversal, PayoutTransfer
from payments.payouts.reversals import send_reversal
from payments.payouts.sending import send_transfer


def alert_parked_transfer(transfer: PayoutTransfer) -> None:
    payout = transfer.payout
    raise_alert(
        key=f"payout-transfer-parked:{payout.reference}",
        title=f"A payout of {payout.amount} to {payout.teacher} needs attention: {payout.get_status_display()}",
        detail={"payout": str(payout.reference), "error": transfer.end_of_error},
    )


def alert_parked_reversal(reversal: PayoutReversal) -> None:
    raise_alert(
        key=f"payout-reversal-parked:{reversal.pk}",
        title=f"Whether {reversal.amount} of a payout came back from Stripe is not known",
        detail={
            "payout": str(reversal.transfer.payout.reference),
            "error": reversal.end_of_error,
        },
    )


performs(PayoutTransfer, when_parked=alert_parked_transfer)(send_transfer)
performs(PayoutReversal, when_parked=alert_parked_reversal)(send_reversal)
