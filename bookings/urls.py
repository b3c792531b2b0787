"""Pages of students under /my/lessons/, of teachers under /teach/lessons/, and public ones under /lessons/."""

from django.urls import path

from bookings.views import availability, credit_lessons, offers, paying, students, teachers

app_name = "bookings"
urlpatterns = [
    path("teachers/<slug:slug>/request/", students.create_request, name="request_create"),
    path("lessons/request/", students.create_open_request, name="request_any"),
    path("lessons/<slug:slug>/", offers.show_offer, name="offer_detail"),
    path("my/lessons/", students.list_lessons, name="requests_mine"),
    path("my/lessons/requests/<int:request_id>/", students.show_request, name="request_detail"),
    path("my/lessons/requests/<int:request_id>/buy/", students.put_into_cart, name="request_buy"),
    path("my/lessons/requests/<int:request_id>/withdraw/", students.withdraw, name="request_withdraw"),
    path("my/lessons/<int:lesson_id>/", students.show_lesson, name="lesson_detail"),
    path("my/lessons/<int:lesson_id>/pay/", paying.pay_lesson, name="lesson_pay"),
    path("my/lessons/<int:lesson_id>/calendar.ics", students.download_calendar, name="lesson_calendar"),
    path("my/lessons/<int:lesson_id>/credit/", credit_lessons.use_credit, name="lesson_use_credit"),
    path("my/lessons/<int:lesson_id>/cancel/", credit_lessons.cancel_lesson_with_credit, name="lesson_cancel_credit"),
    path("teach/lessons/credits/", credit_lessons.edit_credit_terms, name="credit_terms"),
    path("teach/lessons/", teachers.show_desk, name="desk"),
    path("teach/lessons/availability/", availability.edit_availability, name="availability"),
    path("teach/lessons/requests/<int:request_id>/", teachers.answer_request, name="request_answer"),
    path("teach/lessons/requests/<int:request_id>/decline/", teachers.decline, name="request_decline"),
    path("teach/lessons/<int:lesson_id>/withdraw/", teachers.withdraw, name="proposal_withdraw"),
    path("teach/lessons/<int:lesson_id>/cancel/", teachers.cancel_lesson, name="lesson_cancel"),
    path("teach/lessons/<int:lesson_id>/meeting/", teachers.set_meeting, name="lesson_meeting"),
    path("teach/lessons/offers/", offers.list_offers, name="offers_mine"),
    path("teach/lessons/offers/new/", offers.create_offer, name="offer_create"),
    path("teach/lessons/offers/<int:offer_id>/", offers.edit_offer, name="offer_edit"),
    path("teach/lessons/offers/<int:offer_id>/publish/", offers.publish, name="offer_publish"),
    path("teach/lessons/offers/<int:offer_id>/withdraw/", offers.withdraw, name="offer_withdraw"),
]
