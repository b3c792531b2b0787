from django.urls import path

from workshops.api import desk_views, views

app_name = "workshops-api"
urlpatterns = [
    path("api/v1/workshop-registrations", views.RegistrationList.as_view(), name="registrations"),
    path("api/v1/workshop-registrations/<slug:code>", views.RegistrationDetail.as_view(), name="registration"),
    path("api/v1/participants", desk_views.ParticipantList.as_view(), name="participants"),
]
