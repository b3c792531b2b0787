"""The admin's search: numbers of orders and receipts, people, payouts, and whatever an id of Stripe's names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Teacher, User
from config.admin_access import may_see
from config.admin_menu import navigation
from payments.documents.numbering import read_number
from payments.models import (
    BankPayout,
    ConnectedAccount,
    Dispute,
    Document,
    FraudWarning,
    Order,
    Payment,
    Payout,
    PayoutReversal,
    PayoutTransfer,
    Refund,
    StripeMovement,
    WebhookEvent,
)

_LENGTH_AT_MOST: Final = 200
_OF_EACH_KIND: Final = 8
_STRIPE_ID: Final = re.compile(r"([a-z]{2,8})_\w+", re.ASCII)
_ORDER_NUMBER: Final = re.compile(r"#?(L[0-9A-Z]{2,15})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One result: what it is, and where it leads."""

    title: str
    description: str
    url: str
    icon: str


def search(request: HttpRequest, text: str) -> list[Found]:
    """What this member of staff may see of what the text names, the most exact first."""
    text = " ".join(text.split())[:_LENGTH_AT_MOST]
    if not text:
        return []
    if _STRIPE_ID.fullmatch(text):
        return list(_by_stripe_id(request, text))
    return [
        *_orders(request, text),
        *_documents(request, text),
        *_payouts(request, text),
        *_people(request, text),
        *_pages(request, text),
    ]


def _by_stripe_id(request: HttpRequest, stripe_id: str) -> Iterator[Found]:
    prefix = stripe_id.partition("_")[0]
    for model, column, describe in _STRIPE.get(prefix, ()):
        if may_see(model, request):
            rows: QuerySet[Any] = model._default_manager.filter(**{column: stripe_id})
            for row in rows[:_OF_EACH_KIND]:
                yield describe(row, stripe_id)
    yield from _in_mirror(request, prefix, stripe_id)


def _in_mirror(request: HttpRequest, prefix: str, stripe_id: str) -> Iterator[Found]:
    """dj-stripe's copy, also of objects that we have no row for, such as customers."""
    name = _MIRRORED.get(prefix)
    model = apps.get_model("djstripe", name) if name else None
    if model is not None and may_see(model, request):
        for row in model._default_manager.filter(id=stripe_id)[:1]:
            yield Found(title=stripe_id, description="Stripe's mirror", url=_url(row), icon="database")


def _orders(request: HttpRequest, text: str) -> Iterator[Found]:
    number = _ORDER_NUMBER.fullmatch(text.upper())
    if number is None or not may_see(Order, request):
        return
    for order in Order.objects.filter(number__startswith=number[1]).select_related("user")[:_OF_EACH_KIND]:
        yield _order(order)


def _order(order: Order, *, because: str = "") -> Found:
    about = f"{order.user.display_name}, {order.total}, {order.get_state_display().lower()}"
    return Found(
        title=f"Order {order.number}",
        description=f"{because}{about}",
        url=_url(order),
        icon="shopping_cart",
    )


def _documents(request: HttpRequest, text: str) -> Iterator[Found]:
    number = read_number(text)
    if number is not None and may_see(Order, request):
        for document in Document.objects.filter(**number).select_related("order__user"):
            yield _order(document.order, because=f"{document} of ")


def _payouts(request: HttpRequest, text: str) -> Iterator[Found]:
    try:
        reference = UUID(text)
    except ValueError:
        return
    if may_see(Payout, request):
        for payout in Payout.objects.filter(reference=reference).select_related("teacher"):
            yield _payout(payout)
    if may_see(Payment, request):
        for payment in Payment.objects.filter(reference=reference).select_related("order__user"):
            yield _order(payment.order, because="Payment reference of ")


def _payout(payout: Payout) -> Found:
    about = f"{payout.amount}, {payout.get_status_display()}"
    return Found(title=f"Payout to {payout.teacher}", description=about, url=_url(payout), icon="send_money")


def _people(request: HttpRequest, text: str) -> Iterator[Found]:
    """People and teachers, as their own lists find them."""
    for model, icon in ((User, "person"), (Teacher, "co_present")):
        if not may_see(model, request):
            continue
        model_admin = admin.site.get_model_admin(model)
        rows, _ = model_admin.get_search_results(request, model_admin.get_queryset(request), text)
        for row in rows[:_OF_EACH_KIND]:
            yield _person(row, icon)


def _person(row: Any, icon: str) -> Found:
    if isinstance(row, Teacher):
        about = f"Teacher, {row.get_status_display().lower()}, {row.user.email}"
        return Found(title=row.display_name, description=about, url=_url(row), icon=icon)
    return Found(title=row.full_name or row.email, description=row.email, url=_url(row), icon=icon)


def _pages(request: HttpRequest, text: str) -> Iterator[Found]:
    """The entries of the menu."""
    for group in navigation(request):
        for item in group["items"]:
            if text.lower() in item["title"].lower():
                where = group.get("title") or "Page"
                yield Found(title=item["title"], description=where, url=item["link"], icon=item["icon"])


def _of_payment(payment: Payment, _id: str) -> Found:
    return _order(payment.order, because="Paid by this: ")


def _of_refund(refund: Refund, _id: str) -> Found:
    about = f"Order {refund.payment.order.number}, {refund.get_status_display()}"
    return Found(title=f"Refund of {refund.amount}", description=about, url=_url(refund), icon="undo")


def _of_dispute(dispute: Dispute, _id: str) -> Found:
    about = f"Order {dispute.payment.order.number}, {dispute.status_text}"
    return Found(title=f"Dispute of {dispute.amount}", description=about, url=_url(dispute), icon="gavel")


def _of_transfer(transfer: PayoutTransfer, _id: str) -> Found:
    return _payout(transfer.payout)


def _of_account(account: ConnectedAccount, stripe_id: str) -> Found:
    about = f"Stripe account of {account.teacher}"
    return Found(title=stripe_id, description=about, url=_url(account), icon="account_balance_wallet")


def _plainly(icon: str, what: str) -> Callable[[Model, str], Found]:
    def describe(row: Model, stripe_id: str) -> Found:
        return Found(title=stripe_id, description=what, url=_url(row), icon=icon)

    return describe


_Rows = tuple[type[Model], str, Callable[[Any, str], Found]]
_CHARGE: Final[_Rows] = (Payment, "stripe_charge_id", _of_payment)
_REFUND: Final[_Rows] = (Refund, "stripe_refund_id", _of_refund)
_DISPUTE: Final[_Rows] = (Dispute, "stripe_dispute_id", _of_dispute)
_STRIPE: Final[Mapping[str, tuple[_Rows, ...]]] = {
    "pi": ((Payment, "stripe_payment_intent_id", _of_payment),),
    "cs": ((Payment, "stripe_session_id", _of_payment),),
    "ch": (_CHARGE,),
    "py": (_CHARGE,),
    "re": (_REFUND,),
    "pyr": (_REFUND,),
    "du": (_DISPUTE,),
    "dp": (_DISPUTE,),
    "tr": ((PayoutTransfer, "stripe_transfer_id", _of_transfer),),
    "trr": ((PayoutReversal, "stripe_reversal_id", _plainly("undo", "Money taken back from a payout")),),
    "acct": ((ConnectedAccount, "stripe_account_id", _of_account),),
    "po": ((BankPayout, "stripe_payout_id", _plainly("account_balance", "Stripe's payout to a teacher's bank")),),
    "evt": ((WebhookEvent, "stripe_id", _plainly("webhook", "Webhook event")),),
    "issfr": ((FraudWarning, "stripe_warning_id", _plainly("warning", "Fraud warning")),),
    "txn": ((StripeMovement, "stripe_id", _plainly("balance", "Movement on Stripe's statement")),),
}
_MIRRORED: Final[Mapping[str, str]] = {
    "cus": "customer",
    "pi": "paymentintent",
    "ch": "charge",
    "re": "refund",
    "du": "dispute",
    "dp": "dispute",
    "evt": "event",
    "cs": "session",
    "txn": "balancetransaction",
}


def _url(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
