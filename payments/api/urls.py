"""Addresses as integrators of similar platforms know them. Their last slash and, for some, `/api` may be left out.

Below `/api/v1/` are the same views and all others, without a last slash.
"""

from typing import Any

from django.urls import URLPattern, path, re_path

from integrations.endpoints import Endpoint
from payments.api import (
    cart_views,
    checkout_views,
    method_views,
    money_views,
    order_views,
    payout_views,
    sales_views,
)
from payments.api.discount_views import ValidateDiscount
from payments.api.gift_views import RedeemGift
from payments.api.views import TestCommission, VerifyStatus

app_name = "payments-api"


def _known(address: str, view: type[Endpoint], name: str) -> list[URLPattern]:
    """An address with its short form. The OpenAPI document names each view once."""
    return [
        path(f"api/payments/{address}", view.as_view(), name=name),
        re_path(rf"^(?:api/)?payments/{address}/?$", _undocumented(view), name=f"{name}_other"),
    ]


def _undocumented(view: type[Endpoint]) -> Any:
    return view.as_view(schema=None)


urlpatterns = [
    *_known("create-checkout-session", checkout_views.CreateCheckoutSession, "create_checkout_session"),
    *_known("handle-failure", checkout_views.HandleFailure, "handle_failure"),
    *_known("payment-methods", method_views.PaymentMethods, "payment_methods"),
    *_known("process-payment", method_views.ProcessPayment, "process_payment"),
    *_known("validate-discount", ValidateDiscount, "validate_discount"),
    *_known("test-commission", TestCommission, "test_commission"),
    *_known("balance", money_views.BalanceView, "balance"),
    *_known("history", money_views.HistoryView, "history"),
    path("api/payments/verify-status/<str:session_id>", VerifyStatus.as_view(), name="verify_status"),
    path("api/payments/verify-status/<str:session_id>/", _undocumented(VerifyStatus), name="verify_status_other"),
    path("payments/verify-status/<str:session_id>", _undocumented(VerifyStatus), name="verify_status_short"),
    path("api/v1/cart", cart_views.CartView.as_view(), name="cart"),
    path("api/v1/cart/lines", cart_views.CartLines.as_view(), name="cart_lines"),
    path("api/v1/cart/lines/<int:line_id>", cart_views.CartLine.as_view(), name="cart_line"),
    path("api/v1/checkout-sessions", _undocumented(checkout_views.CreateCheckoutSession), name="checkout_sessions"),
    path("api/v1/checkout-sessions/<str:session_id>", _undocumented(VerifyStatus), name="checkout_session"),
    path("api/v1/orders", order_views.OrderList.as_view(), name="orders"),
    path("api/v1/orders/<slug:number>", order_views.OrderDetail.as_view(), name="order"),
    path("api/v1/orders/<slug:number>/cancel", order_views.OrderCancel.as_view(), name="order_cancel"),
    path("api/v1/orders/<slug:number>/receipt", order_views.OrderReceipt.as_view(), name="order_receipt"),
    path(
        "api/v1/order-lines/<int:line_id>/cancellation",
        order_views.LineCancellation.as_view(),
        name="line_cancellation",
    ),
    path("api/v1/payments", _undocumented(method_views.ProcessPayment), name="v1_payments"),
    path("api/v1/payment-methods", _undocumented(method_views.PaymentMethods), name="v1_payment_methods"),
    path("api/v1/payment-methods/<slug:method_id>", method_views.PaymentMethodDetail.as_view(), name="payment_method"),
    path(
        "api/v1/payment-methods/<slug:method_id>/default",
        method_views.PaymentMethodDefault.as_view(),
        name="payment_method_default",
    ),
    path("api/v1/gifts/redeem", RedeemGift.as_view(), name="gift_redeem"),
    path("api/v1/balance", _undocumented(money_views.BalanceView), name="v1_balance"),
    path("api/v1/history", _undocumented(money_views.HistoryView), name="v1_history"),
    path("api/v1/sales", sales_views.SaleList.as_view(), name="sales"),
    path("api/v1/payouts", payout_views.PayoutList.as_view(), name="payouts"),
    path("api/v1/payouts/<uuid:reference>", payout_views.PayoutDetail.as_view(), name="payout"),
]
