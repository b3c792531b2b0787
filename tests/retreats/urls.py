from django.urls import path

from tests.retreats import views

app_name = "retreats"
urlpatterns = [
    path("retreats/<int:pk>/", views.show_retreat, name="detail"),
    path("my/retreats/", views.list_stays, name="mine"),
    path("teach/retreats/", views.show_desk, name="desk"),
]
