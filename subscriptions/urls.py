from django.urls import path

from subscriptions import views

app_name = "subscriptions"

urlpatterns = [
    path("plans/", views.show_plans, name="plans"),
    path("plans/prices/<int:price_id>/subscribe/", views.begin, name="begin"),
    path("plans/for-teachers/", views.show_earnings_rules, name="earnings_rules"),
    path("my/subscription/", views.show_mine, name="mine"),
    path("my/subscription/returned/", views.return_from_stripe, name="returned"),
    path("my/subscription/change/", views.show_changes, name="changes"),
    path("my/subscription/change/<int:price_id>/", views.change, name="change"),
    path("my/subscription/cancel/", views.cancel, name="cancel"),
    path("my/subscription/resume/", views.resume, name="resume"),
    path("my/subscription/portal/", views.go_to_portal, name="portal"),
]
