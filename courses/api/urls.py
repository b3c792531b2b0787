from django.urls import path

from courses.api import views

app_name = "courses-api"
urlpatterns = [
    path("api/v1/enrolments", views.EnrolmentList.as_view(), name="enrolments"),
    path("api/v1/enrolments/<int:enrolment_id>", views.EnrolmentDetail.as_view(), name="enrolment"),
    path(
        "api/v1/enrolments/<int:enrolment_id>/lessons/<int:lesson_id>/done",
        views.LessonDone.as_view(),
        name="lesson_done",
    ),
]
