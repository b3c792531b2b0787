from django.urls import path

from demo import views

app_name = "demo"
urlpatterns = [
    path("", views.show_landing, name="landing"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("mailbox/", views.list_mails, name="mailbox"),
    path("mailbox/<int:mail_id>/", views.show_mail, name="mail"),
    path("mailbox/<int:mail_id>/html/", views.show_mail_html, name="mail_html"),
    path("mailbox/<int:mail_id>/attachment/<int:index>/", views.open_attachment, name="mail_attachment"),
]
