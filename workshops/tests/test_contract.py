import pytest

from accounts.tests.factories import UserFactory
from payments.tests.handler_contract import HandlerContract, Shop
from workshops.models import Registration
from workshops.publishing import withdraw_workshop
from workshops.tests.factories import make_line, make_workshop


class WorkshopShop(Shop):
    domain = "workshops"
    places = 3

    def __init__(self):
        self.buyer = UserFactory()
        self.put_on_sale()

    def put_on_sale(self):
        self.workshop = make_workshop(capacity=self.places)
        self.reference = str(self.workshop.pk)

    def withdraw(self):
        withdraw_workshop(workshop=self.workshop)

    def line(self, *, quantity=1, buyer=None):
        return make_line(self.workshop, quantity=quantity, buyer=buyer or self.buyer)

    def held(self, line):
        return Registration.objects.filter(order_line_id=line.id, state="held").count()

    def delivered(self, line):
        return Registration.objects.filter(order_line_id=line.id, state="confirmed").count()

    def holders(self, line):
        tickets = Registration.objects.filter(order_line_id=line.id, state="confirmed", is_gift_waiting=False)
        return list(tickets.values_list("buyer", flat=True))


class TestWorkshops(HandlerContract):
    @pytest.fixture
    def shop(self):
        return WorkshopShop()
