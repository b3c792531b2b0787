"""Lectern as the world of scenarios: its public functions, Stripe's events, and figures from the ledger."""

import uuid
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models import Sum
from django.test import override_settings
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.retention import delete_expired, registered_retention
from jobs.runner import drain
from ledger.balances import balance_of
from ledger.entries import AccountKind
from money import Money
from money.amounts import InvalidAmount
from notifications.models import Alert, Mail
from payments.checkout import _new_payment
from payments.documents.numbering import number_receipt
from payments.earnings.balances import teacher_balances
from payments.earnings.maturing import mature_earnings
from payments.earnings.stripe_costs import book_costs_of_charge
from payments.models import Dispute, Earning, Order, Payment, Refund, WebhookEvent
from payments.orders import cancel_order
from payments.payouts.requests import PayoutRefused
from payments.refunds.decisions import request_previewed_refund
from payments.refunds.plan import LinePart, OfLines, OverAllLines, RefundRefused, WholeOrder
from payments.refunds.preview import preview_of_request
from payments.return_addresses import own_addresses
from payments.stripe_objects import BalanceTransaction
from payments.tests.factories import cart_with, event_of, intent_object, sample_offer, session_object
from payments.tests.sample_domain import SAMPLE
from payments.webhook.inbox import store_event
from tests.money_bugs.lectern_disputes import LecternDispute
from tests.money_bugs.lectern_orders import second_page_of, write_discounted_order
from tests.money_bugs.lectern_payouts import LecternPayout, request_and_approve, scheduled_and_approved
from tests.money_bugs.lectern_refunds import LecternRefund
from tests.money_bugs.world import Refused, Sale, Shown, World

OWED_TO_TEACHERS = (
    AccountKind.TEACHER_PENDING,
    AccountKind.TEACHER_AVAILABLE,
    AccountKind.TEACHER_HELD,
    AccountKind.TEACHER_IN_PAYOUT,
)
COSTS = (
    AccountKind.STRIPE_FEES,
    AccountKind.DISPUTE_FEES,
    AccountKind.PAYOUT_FEES,
    AccountKind.PLATFORM_LOSSES,
    AccountKind.PLATFORM_DISCOUNTS,
)
MONTH = timedelta(days=31)
YEARS = timedelta(days=3650)


class LecternWorld(World):
    def __init__(self, settings):
        self.settings = settings
        self.teachers = {}
        self.weeks = 0

    def teacher(self, letter):
        if letter not in self.teachers:
            self.teachers[letter] = TeacherFactory()
        return self.teachers[letter]

    def open_sale(self, *prices, teachers="A", currency="GBP", quantity=1, off="0", tax="0", on_top=False):
        with refusing(InvalidAmount):
            amounts = [Money.from_major(price, currency) for price in prices]
            discount = Money.from_major(off, currency)
        letters = teachers if len(teachers) == len(prices) else teachers * len(prices)
        references = [
            sample_offer(amount, teacher=self.teacher(letter)) for amount, letter in zip(amounts, letters, strict=True)
        ]
        terms = {"TAX_MODE": "added", "TAX_OWED_BY": "platform"} if on_top else {}
        with override_settings(TAX_RATE_BPS=int(tax) * 100, **terms), transaction.atomic():
            order = write_discounted_order(cart_with(*references, quantity=quantity), discount)
            payment = _new_payment(order, own_addresses())
        Payment.objects.filter(pk=payment.pk).update(
            status=Payment.Status.OPEN, stripe_session_id=f"cs_test_{uuid.uuid4().hex}"
        )
        payment.refresh_from_db()
        return LecternSale(payment, references)

    def figures(self, currency="GBP"):
        def total(kinds, teacher_id=None):
            balances = (balance_of(kind, currency, teacher_id=teacher_id) for kind in kinds)
            return sum(balances, Money.zero(currency))

        owed = {letter: total(OWED_TO_TEACHERS, teacher.pk) for letter, teacher in self.teachers.items()}
        fees, costs = total([AccountKind.PLATFORM_FEES]), total(COSTS)
        balances = [each for teacher in self.teachers.values() for each in teacher_balances(teacher.pk)]
        paid_out = sum((each.withdrawn for each in balances if each.currency == currency), Money.zero(currency))
        figures = {**owed, "paid_out": paid_out, "fees": fees, "costs": costs, "platform": fees - costs}
        figures["tax_payable"] = total([AccountKind.TAX_PAYABLE])
        alerts = Alert.objects.filter(key__startswith="dispute-lost:").count()
        return {**{name: amount.to_major() for name, amount in figures.items()}, "alerts": alerts}

    def pay_out(self, teacher, amount=None, *, currency="GBP"):
        with refusing(PayoutRefused):
            return LecternPayout(request_and_approve(self.teacher(teacher), currency, amount))

    def has_minimum_payout(self, amount, currency):
        self.settings.PAYOUT_MINIMUMS = {currency: Money.from_major(amount, currency).minor}

    def pay_day(self, teacher):
        self.weeks += 1
        paid = [LecternPayout(row) for row in scheduled_and_approved(self.teacher(teacher), weeks=self.weeks)]
        for payout in paid:
            payout.is_paid()
        return paid

    def old_records_are_archived(self):
        Refund.objects.update(created_at=timezone.now() - YEARS)
        WebhookEvent.objects.update(created_at=timezone.now() - YEARS)
        for kept in registered_retention():
            delete_expired(kept)


class LecternSale(Sale):
    def __init__(self, payment, references):
        self.payment = payment
        self.references = references

    @property
    def order(self):
        return Order.objects.get(pk=self.payment.order_id)

    def pays(self, *, amount=None, intent=None, stripe_fee=None):
        changes = {}
        if amount is not None:
            changes["amount_total"] = Money.from_major(amount, self.payment.currency).minor
        if intent is not None:
            changes["payment_intent"] = intent
        tell("checkout.session.completed", session_object(self.payment, **changes))
        self.payment = Payment.objects.get(pk=self.payment.pk)
        if stripe_fee is not None:
            self.is_credited_as(self.payment.amount, Money.from_major(stripe_fee, self.payment.currency))

    def is_credited_as(self, amount, fee=None):
        """Stripe reports the balance transaction of the charge: what it credited, and its fee."""
        fee = fee or Money.zero(amount.currency)
        now = timezone.now()
        book_costs_of_charge(
            self.payment,
            BalanceTransaction(
                id=f"txn_{self.payment.reference.hex}",
                type="charge",
                amount=amount,
                fee=fee,
                fee_parts=f"stripe_fee {fee.minor}",
                source_id=f"ch_{self.payment.reference.hex}",
                created_at=now,
                available_at=now,
            ),
        )

    def pays_again(self):
        tell("checkout.session.completed", session_object(second_page_of(self.payment)))

    def is_declined(self):
        failed = {
            "status": "requires_payment_method",
            "amount_received": 0,
            "last_payment_error": {"type": "card_error"},
        }
        tell("payment_intent.payment_failed", intent_object(self.payment, **failed))

    def page_expires(self):
        unpaid = {"status": "expired", "payment_status": "unpaid", "payment_intent": None}
        tell("checkout.session.expired", session_object(self.payment, **unpaid))

    def is_earned(self):
        """As if it had been paid a month ago."""
        Order.objects.filter(pk=self.order.pk).update(paid_at=timezone.now() - MONTH)
        Earning.objects.filter(line__order=self.order, matured_at=None).update(look_at=timezone.now())
        number_receipt(self.order)
        mature_earnings()

    def is_cancelled(self):
        cancel_order(order_id=self.order.pk, reason="The student gave up.", payment_status=Payment.Status.EXPIRED)

    def place_is_gone(self):
        SAMPLE.undeliverable.update(self.references)

    def line(self, number):
        return LecternLine(self.order, self.references[number - 1])

    def refund(
        self, amount=None, *, line=None, places=None, parts=None, currency=None, form=None, events_before_answer=0
    ):
        with refusing(RefundRefused, InvalidAmount):
            money = None if amount is None else Money.from_major(amount, currency or self.payment.currency)
            wanted = self._parts(parts) if parts else self._wanted(money, line, places)
            refund = request_previewed_refund(
                order_id=self.order.pk,
                wanted=wanted,
                seen=preview_of_request(self.order, wanted).digest,
                reason=Refund.Reason.GOODWILL,
                note="",
                request_key=form or uuid.uuid4().hex,
                by_id=UserFactory(is_staff=True).pk,
            )
        made = LecternRefund(self.payment, self.references, refund)
        if events_before_answer:
            for _ in range(events_before_answer):
                made.succeeds()
            made.is_answered()
        return made

    def _wanted(self, money, line, places):
        if line is None and places is None:
            return WholeOrder() if money is None else OverAllLines(money)
        part = LinePart(line_id=self.line(line or 1).row.pk, amount=money, quantity=places)
        return OfLines([part])

    def _parts(self, parts):
        amounts = {number: Money.from_major(amount, self.payment.currency) for number, amount in parts.items()}
        return OfLines([LinePart(line_id=self.line(each).row.pk, amount=amount) for each, amount in amounts.items()])

    def refund_at_stripe(self, amount):
        made = LecternRefund(self.payment, self.references, amount=Money.from_major(amount, self.payment.currency))
        made.succeeds()
        return made

    def automatic_refund(self):
        return LecternRefund(self.payment, self.references, Refund.objects.get(payment__order=self.order))

    def dispute(self, amount=None, *, is_inquiry=False, settled=None, settled_in=None):
        currency = self.payment.currency
        disputed = self.payment.amount if amount is None else Money.from_major(amount, currency)
        return LecternDispute(
            self.payment,
            disputed,
            fee=Money.from_major("15.00", settled_in or currency),
            settled=Money.from_major(settled, settled_in) if settled else None,
            is_inquiry=is_inquiry,
        )

    def figures(self):
        payment = Payment.objects.select_related("order").get(pk=self.payment.pk)
        order, zero = payment.order, Money.zero(payment.currency)
        refunds = Refund.objects.filter(payment__order=order)
        reached = refunds.filter(status="succeeded").aggregate(total=Sum("amount_minor"))["total"]
        paid = order.total if order.is_paid else zero
        amounts = {
            "paid": paid,
            "due": order.total - paid,
            "refunded": Money(int(reached or 0), payment.currency),
            "refundable": payment.refundable if payment.has_succeeded else zero,
            "lost": sum((each.amount for each in Dispute.objects.filter(payment__order=order, status="lost")), zero),
            "tax": order.tax - sum((self.line(each).tax_returned for each in self._numbers()), zero),
        }
        return {
            **{name: amount.to_major() for name, amount in amounts.items()},
            "charged": sum(
                item["price_data"]["unit_amount"] * item["quantity"] for item in payment.session_request["line_items"]
            ),
            "refunds": refunds.count(),
            "mails": Mail.objects.filter(user=order.user, key__startswith="refund:").count(),
        }

    def _numbers(self):
        return range(1, len(self.references) + 1)


class LecternLine(Shown):
    def __init__(self, order, reference):
        self.row = order.lines.select_related("order").get(reference=reference)

    @property
    def tax_returned(self):
        return Money(self.row.refunded_tax_minor, self.row.order.currency)

    def figures(self):
        line = self.row
        figures = {
            "amount": line.amount,
            "fee": line.platform_fee,
            "share": line.teacher_share,
            "fee_left": line.platform_fee
            - Money(line.refunded_fee_minor + line.disputed_fee_minor, line.order.currency),
            "share_left": line.share_left,
            "left": line.refundable,
        }
        return {name: amount.to_major() for name, amount in figures.items()}


def tell(event_type, obj):
    """Stripe's event arrives and is processed. One that contradicts the order is kept for staff."""
    event = event_of(event_type, obj)
    store_event(event, source="webhook")
    drain(WebhookEvent, seconds=5)


@contextmanager
def refusing(*errors):
    """Translate the errors by which a public function refuses."""
    try:
        yield
    except errors as error:
        raise Refused(str(error)) from error
