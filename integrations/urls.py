from django.urls import path

from integrations import views

app_name = "integrations"
urlpatterns = [
    path("my/tokens/", views.list_tokens, name="tokens"),
    path("my/tokens/new/", views.new_token, name="token_new"),
    path("my/tokens/<int:token_id>/revoke/", views.revoke, name="token_revoke"),
]
