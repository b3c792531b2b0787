"""Tickets: the code the teacher scans, and who comes."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import TeacherFactory
from tests.market import open_market, signed_in
from workshops.models import Registration
from workshops.ticket_code import draw_ticket_code

pytestmark = pytest.mark.django_db


def check(market):
    return f"/teach/tickets/{market.ticket.code}/"


def rename(client, market, name):
    return client.post(f"/my/workshops/{market.ticket.code}/name/", {"name": name}, follow=True).content.decode()


def test_a_ticket_carries_a_code_without_styles_that_the_content_policy_would_refuse():
    market = open_market()
    page = signed_in(market.student).get(market.ticket.get_absolute_url()).content.decode()
    assert draw_ticket_code(market.ticket) in page
    assert "style=" not in draw_ticket_code(market.ticket)
    assert draw_ticket_code(market.ticket) != draw_ticket_code(Registration(code="ABCDEFGHJKMN"))


def test_the_code_leads_the_teacher_to_a_page_that_says_whether_the_ticket_is_valid():
    market = open_market()
    teacher = signed_in(market.teacher.user)
    page = teacher.get(check(market)).content.decode()
    assert "This ticket is valid." in page
    assert market.ticket.participant_name in page
    Registration.objects.filter(pk=market.ticket.pk).update(state="revoked")
    assert "This ticket is not valid." in teacher.get(check(market)).content.decode()


def test_only_the_workshops_teacher_checks_its_tickets():
    market = open_market()
    assert signed_in(TeacherFactory().user).get(check(market)).status_code == 404
    assert signed_in(market.student).get(check(market)).status_code == 302
    assert Client().get(check(market)).status_code == 302
    assert signed_in(market.teacher.user).get("/teach/tickets/ABCDEFGHJKMN/").status_code == 404


def test_somebody_else_may_come_until_the_workshop_begins():
    market = open_market()
    client = signed_in(market.student)
    assert "The ticket is for Nguyễn Thị Minh Khai now." in rename(client, market, "Nguyễn Thị Minh Khai")
    assert "Nguyễn Thị Minh Khai" in signed_in(market.teacher.user).get(check(market)).content.decode()
    began = timezone.now() - timedelta(minutes=1)
    market.workshop.sessions.update(starts_at=began, ends_at=began + timedelta(hours=1))
    assert "can no longer be changed" in rename(client, market, "Too Late")
    market.ticket.refresh_from_db()
    assert market.ticket.participant_name == "Nguyễn Thị Minh Khai"
    assert "Change who is coming" not in client.get(market.ticket.get_absolute_url()).content.decode()


@pytest.mark.parametrize("name", ["", "x" * 151, "You won\nhttps://evil.example", "\x00"])
def test_a_name_that_is_none_is_refused_where_it_is_typed(name):
    market = open_market()
    response = signed_in(market.student).post(f"/my/workshops/{market.ticket.code}/name/", {"name": name})
    assert response.status_code == 400
    assert '<details class="card fold" open>' in response.content.decode()
    before = market.ticket.participant_name
    market.ticket.refresh_from_db()
    assert market.ticket.participant_name == before


@pytest.mark.parametrize("state", ["revoked", "released", "held"])
def test_a_ticket_that_is_not_valid_keeps_its_name(state):
    market = open_market()
    until = timezone.now() + timedelta(hours=1) if state == "held" else None
    Registration.objects.filter(pk=market.ticket.pk).update(state=state, held_until=until)
    rename(signed_in(market.student), market, "Another")
    market.ticket.refresh_from_db()
    assert market.ticket.participant_name != "Another"
