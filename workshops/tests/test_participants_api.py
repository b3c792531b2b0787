"""Teachers read over the API what they sold, and who comes: their own alone."""

import pytest

from accounts.tests.factories import TeacherFactory
from integrations.scopes import Scope
from integrations.tests.factories import program_of
from payments.cancellations.lines import cancel_for_teacher
from tests.market import credit_note_of, open_market

pytestmark = pytest.mark.django_db
PARTICIPANTS, SALES = "/api/v1/participants", "/api/v1/sales"


@pytest.fixture
def market():
    return open_market()


def results(answer):
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_participants_of_own_workshops(market):
    program = program_of(market.teacher.user, Scope.SALES_READ)
    (one,) = results(program.get(PARTICIPANTS))
    assert (one["code"], one["workshop"], one["order"]) == (
        market.ticket.code,
        market.workshop.slug,
        market.order.number,
    )
    assert one["participant"] == market.ticket.participant_name
    assert results(program.get(PARTICIPANTS, {"workshop": market.workshop.slug})) == [one]
    assert results(program.get(PARTICIPANTS, {"workshop": "another"})) == []
    assert results(program_of(market.other_teacher.user).get(PARTICIPANTS)) == []


def test_a_cancelled_place_is_no_participant(market):
    line = market.order.lines.get(domain="workshops")
    assert cancel_for_teacher(line_id=line.pk, reason="I am ill.", requested_by_id=market.teacher.user_id)
    assert results(program_of(market.teacher.user).get(PARTICIPANTS)) == []


def test_sales_are_what_the_page_shows(market):
    program = program_of(market.teacher.user, Scope.SALES_READ)
    sold = results(program.get(SALES))
    assert {line["domain"] for line in sold} == {"private_teaching", "workshops", "courses"}
    assert {line["order"] for line in sold} == {market.order.number}
    shares = {line.pk: line.share_left for line in market.order.lines.all()}
    assert {line["id"]: line["earned"] for line in sold} == {pk: str(share.to_major()) for pk, share in shares.items()}
    credit_note_of(market.payment)
    after = results(program.get(SALES, {"order": market.order.number}))
    assert sum(float(line["refunded"]) for line in after) > 0
    assert results(program.get(SALES, {"order": "LOTHER"})) == []
    assert results(program_of(TeacherFactory().user).get(SALES)) == []
