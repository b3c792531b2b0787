import pytest

from accounts.tests.factories import UserFactory
from bookings.models import Lesson
from bookings.proposals import withdraw_proposal
from bookings.tests.factories import proposed_lesson, sold_line
from payments.tests.handler_contract import HandlerContract, Shop


class LessonShop(Shop):
    domain = "private_teaching"
    is_for_everyone = False

    def __init__(self):
        self.buyer = UserFactory()
        self.put_on_sale()

    def put_on_sale(self):
        self.lesson = proposed_lesson(student=self.buyer)
        self.reference = str(self.lesson.pk)

    def offer_again(self):
        # A cancelled lesson stays cancelled; the teacher proposes another one.
        self.put_on_sale()

    def withdraw(self):
        withdraw_proposal(lesson_id=self.lesson.pk, teacher=self.lesson.teacher)

    def line(self, *, quantity=1, buyer=None):
        return sold_line(self.lesson, quantity=quantity, buyer_id=(buyer or self.buyer).pk)

    def held(self, line):
        return Lesson.objects.filter(order_line_id=line.id, state="held").count()

    def delivered(self, line):
        return Lesson.objects.filter(order_line_id=line.id, state="confirmed").count()


class TestLessons(HandlerContract):
    @pytest.fixture
    def shop(self):
        return LessonShop()
