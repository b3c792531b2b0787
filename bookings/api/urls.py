from django.urls import path

from bookings.api import desk_views, views

app_name = "bookings-api"
urlpatterns = [
    path("api/v1/lesson-requests", views.RequestList.as_view(), name="requests"),
    path("api/v1/lesson-requests/<int:request_id>", views.RequestDetail.as_view(), name="request"),
    path("api/v1/lesson-requests/<int:request_id>/withdraw", views.RequestWithdraw.as_view(), name="request_withdraw"),
    path("api/v1/lessons", views.LessonList.as_view(), name="lessons"),
    path("api/v1/lessons/<int:lesson_id>", views.LessonDetail.as_view(), name="lesson"),
    path("api/v1/lessons/<int:lesson_id>/withdraw", desk_views.LessonWithdraw.as_view(), name="lesson_withdraw"),
    path("api/v1/lessons/<int:lesson_id>/cancel", desk_views.LessonCancel.as_view(), name="lesson_cancel"),
    path("api/v1/teaching/lesson-requests", desk_views.DeskRequestList.as_view(), name="desk_requests"),
    path(
        "api/v1/teaching/lesson-requests/<int:request_id>", desk_views.DeskRequestDetail.as_view(), name="desk_request"
    ),
    path(
        "api/v1/teaching/lesson-requests/<int:request_id>/accept",
        desk_views.DeskRequestAccept.as_view(),
        name="desk_request_accept",
    ),
    path(
        "api/v1/teaching/lesson-requests/<int:request_id>/decline",
        desk_views.DeskRequestDecline.as_view(),
        name="desk_request_decline",
    ),
    path("api/v1/lessons/<int:lesson_id>/use-credit", views.LessonUseCredit.as_view(), name="lesson_use_credit"),
]
