from django.urls import path

from webhooks.api import views

app_name = "webhooks-api"
_ONE = "api/v1/webhook-endpoints/<int:endpoint_id>"
urlpatterns = [
    path("api/v1/webhook-endpoints", views.EndpointList.as_view(), name="endpoints"),
    path(_ONE, views.EndpointDetail.as_view(), name="endpoint"),
    path(f"{_ONE}/secret", views.EndpointSecretView.as_view(), name="endpoint_secret"),
    path(f"{_ONE}/test", views.EndpointTest.as_view(), name="endpoint_test"),
    path(f"{_ONE}/replay", views.EndpointReplay.as_view(), name="endpoint_replay"),
    path(f"{_ONE}/deliveries", views.DeliveryList.as_view(), name="endpoint_deliveries"),
    path("api/v1/webhook-deliveries/<int:delivery_id>", views.DeliveryDetail.as_view(), name="delivery"),
    path("api/v1/webhook-deliveries/<int:delivery_id>/replay", views.DeliveryReplay.as_view(), name="delivery_replay"),
]
