from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("my/profile/", views.profile, name="profile"),
    path("teach/apply/", views.teacher_apply, name="teacher_apply"),
    path("teach/profile/", views.teacher_profile, name="teacher_profile"),
    path("teach/profile/preview/", views.markdown_preview, name="markdown_preview"),
]
