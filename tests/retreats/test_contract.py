import pytest

from accounts.tests.factories import UserFactory
from payments.tests.handler_contract import HandlerContract, Shop
from tests.retreats.factories import make_retreat, sold_line
from tests.retreats.models import Stay


class RetreatShop(Shop):
    domain = "retreats"
    places = 3

    def __init__(self):
        self.buyer = UserFactory()
        self.put_on_sale()

    def put_on_sale(self):
        self.retreat = make_retreat(places=self.places)
        self.reference = str(self.retreat.pk)

    def withdraw(self):
        self.retreat.is_on_sale = False
        self.retreat.save()

    def line(self, *, quantity=1, buyer=None):
        return sold_line(self.retreat, quantity=quantity, buyer=buyer or self.buyer)

    def held(self, line):
        return sum(stay.places for stay in Stay.objects.filter(order_line_id=line.id, state="held"))

    def delivered(self, line):
        return sum(stay.places for stay in Stay.objects.filter(order_line_id=line.id, state="confirmed"))


class TestRetreats(HandlerContract):
    @pytest.fixture
    def shop(self):
        return RetreatShop()
