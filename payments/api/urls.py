"""Addresses as integrators of similar platforms know them. Their last slash and, for some, `/api` may be left out."""

from django.urls import path, re_path

from payments.api.discount_views import ValidateDiscount
from payments.api.money_views import BalanceView, HistoryView
from payments.api.views import TestCommission, VerifyStatus

app_name = "payments-api"
urlpatterns = [
    path("api/payments/test-commission", TestCommission.as_view(), name="test_commission"),
    path("api/payments/balance", BalanceView.as_view(), name="balance"),
    path("api/payments/history", HistoryView.as_view(), name="history"),
    path("api/payments/verify-status/<str:session_id>", VerifyStatus.as_view(), name="verify_status"),
    path("api/payments/validate-discount", ValidateDiscount.as_view(), name="validate_discount"),
    # Not in the OpenAPI document, which names each once.
    re_path(
        r"^(?:api/)?payments/test-commission/?$", TestCommission.as_view(schema=None), name="test_commission_other"
    ),
    re_path(r"^(?:api/)?payments/balance/?$", BalanceView.as_view(schema=None), name="balance_other"),
    re_path(r"^(?:api/)?payments/history/?$", HistoryView.as_view(schema=None), name="history_other"),
    re_path(
        r"^(?:api/)?payments/validate-discount/?$",
        ValidateDiscount.as_view(schema=None),
        name="validate_discount_other",
    ),
    path("api/payments/verify-status/<str:session_id>/", VerifyStatus.as_view(schema=None), name="verify_status_other"),
]
