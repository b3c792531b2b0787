from django.urls import path, re_path

from payments.views import (
    cancellations,
    cart,
    cart_codes,
    checkout,
    desk,
    discounts,
    documents,
    earnings,
    orders,
    payouts,
)
from payments.webhook.endpoint import receive_event

app_name = "payments"
urlpatterns = [
    path("cart/", cart.show_cart, name="cart"),
    path("cart/continue/", cart.continue_to_cart, name="continue"),
    path("cart/add/", cart.add_line, name="cart_add"),
    path("cart/lines/<int:line_id>/", cart.change_line, name="cart_line"),
    path("cart/codes/", cart_codes.enter, name="cart_code"),
    path("cart/codes/<int:code_id>/remove/", cart_codes.remove, name="cart_code_remove"),
    path("checkout/", checkout.begin_checkout, name="checkout"),
    path("checkout/return/", checkout.return_from_stripe, name="return"),
    path("my/orders/", orders.list_orders, name="orders"),
    path("my/orders/lines/<int:line_id>/cancel/", cancellations.cancel_line, name="line_cancel"),
    path("my/orders/<slug:number>/", orders.show_order, name="order"),
    path("my/orders/<slug:number>/status/", orders.order_status, name="order_status"),
    path("my/orders/<slug:number>/receipt.pdf", documents.receipt_pdf, name="receipt"),
    path("my/orders/<slug:number>/credit-note-<int:document_id>.pdf", documents.credit_note_pdf, name="credit_note"),
    path("my/orders/<slug:number>/documents.pdf", documents.all_documents_pdf, name="documents"),
    path("my/orders/<slug:number>/cancel/", orders.cancel_unpaid, name="order_cancel"),
    path("teach/", desk.show_sales, name="sales"),
    path("teach/earnings/", earnings.show_earnings, name="earnings"),
    re_path(
        r"^teach/earnings/statement-(?P<period>\d{4}(?:-\d{2})?)-(?P<currency>[A-Z]{3})\.(?P<kind>csv|pdf)$",
        earnings.download_statement,
        name="statement",
    ),
    path("teach/discounts/", discounts.show_codes, name="discounts"),
    path("teach/discounts/codes.csv", discounts.download_codes, name="discount_download"),
    path("teach/discounts/<int:code_id>/end/", discounts.end_code, name="discount_end"),
    path("teach/payouts/", payouts.show_payouts, name="payouts"),
    path("teach/payouts/request/", payouts.request_money, name="payout_request"),
    path("teach/payouts/schedule/", payouts.change_schedule, name="payout_schedule"),
    path("teach/payouts/account/", payouts.begin_onboarding, name="account_begin"),
    path("teach/payouts/account/renew/", payouts.renew_onboarding, name="account_renew"),
    path("teach/payouts/account/return/", payouts.return_from_onboarding, name="account_return"),
    path("teach/payouts/<uuid:reference>/", payouts.show_payout, name="payout"),
    # With and without the last slash, because Stripe counts a redirect as a failure.
    re_path(r"^payments/webhook/?$", receive_event, name="webhook"),
    re_path(r"^api/webhooks/stripe/?$", receive_event, name="webhook_of_integrators"),
]
