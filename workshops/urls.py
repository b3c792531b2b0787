"""Pages of workshops: public, for students and for teachers."""

from django.urls import path

from workshops.views import authoring, desk, sales, tickets

app_name = "workshops"
urlpatterns = [
    path("workshops/<slug:slug>/", sales.show_workshop, name="detail"),
    path("workshops/<slug:slug>/add/", sales.add_workshop_to_cart, name="add_to_cart"),
    path("workshops/<slug:slug>/register/", sales.name_participants, name="register"),
    path("my/workshops/", tickets.list_tickets, name="mine"),
    path("my/workshops/<str:code>/", tickets.show_ticket, name="ticket"),
    path("my/workshops/<str:code>/calendar/", tickets.download_calendar, name="calendar"),
    path("my/workshops/<str:code>/name/", tickets.rename_participant, name="ticket_rename"),
    path("teach/tickets/<str:code>/", desk.check_ticket, name="ticket_check"),
    path("teach/workshops/", desk.show_desk, name="desk"),
    path("teach/workshops/new/", authoring.create_workshop, name="create"),
    path("teach/workshops/<slug:slug>/", authoring.edit_workshop, name="edit"),
    path("teach/workshops/<slug:slug>/publish/", desk.publish, name="publish"),
    path("teach/workshops/<slug:slug>/withdraw/", desk.withdraw, name="withdraw"),
    path("teach/workshops/<slug:slug>/cancel/", desk.cancel, name="cancel"),
    path("teach/workshops/<slug:slug>/participants/", desk.list_participants, name="participants"),
]
