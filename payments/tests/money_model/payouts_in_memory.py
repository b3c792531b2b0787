"""The pure rules of payouts applied in memory, as `payments.payouts.steps` applies them to the database."""

from dataclasses import dataclass, replace

from ledger.entries import AccountKind
from money import Money
from payments.payouts import entries as payout_entries
from payments.payouts.rules import OPEN, Movement, PayoutStatus, after_return, may_happen, step_after


class Refused(Exception):
    """What was asked for is not possible now."""


@dataclass(frozen=True, slots=True)
class MemoryPayout:
    teacher_id: int
    amount: Money
    status: PayoutStatus = PayoutStatus.REQUESTED
    returned_minor: int = 0


class PayoutRules:
    """For `InMemory`, whose books it uses."""

    def request_payout(self, key, teacher_id):
        """All that is available. Raises Refused."""
        available = self.figures().get((str(AccountKind.TEACHER_AVAILABLE), teacher_id), 0)
        is_open = any(payout.teacher_id == teacher_id and payout.status in OPEN for payout in self.payouts.values())
        if is_open or available <= 0:
            raise Refused(f"{available} available")
        payout = self.payouts[key] = MemoryPayout(teacher_id, self.money(available))
        written = payout_entries.entries_of_request(payout.amount, teacher_id=teacher_id)
        self.record(f"payout:{key}:requested", written)

    def may_happen(self, key, happening):
        return may_happen(self.payouts[key].status, happening)

    def payout_happening(self, key, happening, *, cost=0):
        """As `payments.payouts.steps.move_on`."""
        payout = self.payouts[key]
        step = step_after(payout.status, happening)
        if step.movement == Movement.GIVE_BACK:
            written = payout_entries.entries_of_giving_back(payout.amount, teacher_id=payout.teacher_id)
            self.record(f"payout:{key}:given back", written)
        elif step.movement != Movement.NONE:
            if step.movement == Movement.CLAIM_AGAIN_AND_PAY:
                again = payout_entries.entries_of_request(payout.amount, teacher_id=payout.teacher_id)
                self.record(f"payout:{key}:claimed again", again)
            written = payout_entries.entries_of_payment(
                payout.amount,
                teacher_id=payout.teacher_id,
                source=AccountKind.STRIPE_CLEARING,
                cost=self.money(cost),
            )
            self.record(f"payout:{key}:paid", written)
        self.payouts[key] = replace(payout, status=step.status)

    def return_payout(self, key, part, reversal):
        """As `payments.payouts.steps.count_return`; the caller counts each reversal once."""
        if f"payout:{key}:returned:{reversal}" in self.sources:
            return
        payout = self.payouts[key]
        status = after_return(
            payout.status, paid_minor=payout.amount.minor, returned_minor=payout.returned_minor, part_minor=part
        )
        written = payout_entries.entries_of_return(
            self.money(part),
            teacher_id=payout.teacher_id,
            into=AccountKind.STRIPE_CLEARING,
            arrived=self.money(part),
        )
        self.record(f"payout:{key}:returned:{reversal}", written)
        self.payouts[key] = replace(payout, status=status, returned_minor=payout.returned_minor + part)
