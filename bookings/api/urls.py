from django.urls import path

from bookings.api import views

app_name = "bookings-api"
urlpatterns = [
    path("api/v1/lesson-requests", views.RequestList.as_view(), name="requests"),
    path("api/v1/lesson-requests/<int:request_id>", views.RequestDetail.as_view(), name="request"),
    path("api/v1/lesson-requests/<int:request_id>/withdraw", views.RequestWithdraw.as_view(), name="request_withdraw"),
    path("api/v1/lessons", views.LessonList.as_view(), name="lessons"),
    path("api/v1/lessons/<int:lesson_id>", views.LessonDetail.as_view(), name="lesson"),
]
