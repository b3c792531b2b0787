from django.urls import path

from subscriptions import views

app_name = "subscriptions"

urlpatterns = [
    path("plans/", views.show_plans, name="plans"),
    path("my/subscription/", views.show_mine, name="mine"),
]
