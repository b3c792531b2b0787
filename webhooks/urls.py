from django.urls import path

from webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("my/webhooks/", views.list_endpoints, name="endpoints"),
    path("my/webhooks/new/", views.new_endpoint, name="endpoint_new"),
    path("my/webhooks/<int:endpoint_id>/", views.show_endpoint, name="endpoint"),
    path("my/webhooks/<int:endpoint_id>/edit/", views.edit_endpoint, name="endpoint_edit"),
    path("my/webhooks/<int:endpoint_id>/switch/", views.switch_endpoint, name="endpoint_switch"),
    path("my/webhooks/<int:endpoint_id>/test/", views.test_endpoint, name="endpoint_test"),
    path("my/webhooks/<int:endpoint_id>/secret/", views.rotate_secret, name="secret_rotate"),
    path("my/webhooks/<int:endpoint_id>/delete/", views.delete_endpoint, name="endpoint_delete"),
    path("my/webhooks/<int:endpoint_id>/replay/", views.replay_all, name="endpoint_replay"),
    path("my/webhooks/deliveries/<int:delivery_id>/", views.show_delivery, name="delivery"),
    path("my/webhooks/deliveries/<int:delivery_id>/replay/", views.replay_one, name="delivery_replay"),
]
