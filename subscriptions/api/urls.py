"""Addresses as integrators of similar platforms know them, with their short forms, and those below `/api/v1/`."""

from django.urls import path, re_path

from subscriptions.api import views

app_name = "subscriptions-api"
urlpatterns = [
    path("api/v1/plans", views.PlanList.as_view(), name="plans"),
    path("api/v1/subscriptions", views.SubscriptionList.as_view(), name="subscriptions"),
    path("api/v1/subscription", views.CurrentSubscription.as_view(), name="subscription"),
    path("api/payments/create-subscription", views.CreateSubscription.as_view(), name="create_subscription"),
    re_path(
        r"^(?:api/)?payments/create-subscription/?$",
        views.CreateSubscription.as_view(schema=None),
        name="create_subscription_other",
    ),
    path("api/payments/cancel-subscription", views.CancelSubscription.as_view(), name="cancel_subscription"),
    re_path(
        r"^(?:api/)?payments/cancel-subscription/?$",
        views.CancelSubscription.as_view(schema=None),
        name="cancel_subscription_other",
    ),
]
