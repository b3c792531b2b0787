import pytest

from accounts.tests.factories import UserFactory
from courses.models import Enrolment
from courses.publishing import withdraw_course
from courses.tests.factories import published_course, sold_line
from payments.tests.handler_contract import HandlerContract, Shop


class CourseShop(Shop):
    domain = "courses"

    def __init__(self):
        self.buyer = UserFactory()
        self.put_on_sale()

    def put_on_sale(self):
        self.course = published_course()
        self.reference = str(self.course.pk)

    def withdraw(self):
        withdraw_course(course_id=self.course.pk)

    def line(self, *, quantity=1, buyer=None):
        return sold_line(self.course, buyer or self.buyer, quantity=quantity)

    def held(self, line):
        return Enrolment.objects.filter(order_line_id=line.id, state="held").count()

    def delivered(self, line):
        return Enrolment.objects.filter(order_line_id=line.id, state="active").count()

    def holders(self, line):
        return list(Enrolment.objects.filter(order_line_id=line.id, state="active").values_list("student", flat=True))


class TestCourses(HandlerContract):
    @pytest.fixture
    def shop(self):
        return CourseShop()
