"""Where codes are made: by teachers at their desk, by staff in the admin, one or many at once."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import TeacherFactory
from money import Money
from payments.models import DiscountAmount, DiscountCode
from payments.tests.discount_factories import code_of, paid_discounted
from payments.tests.factories import client_of, staff_in

pytestmark = pytest.mark.django_db

DESK = "/teach/discounts/"


@pytest.fixture
def anna():
    return TeacherFactory(status="approved")


def make(client, **fields):
    filled = {"code": "spring-10", "percent": "10", "currency": "GBP", **fields}
    return client.post(DESK, filled, follow=True)


class TestDesk:
    def test_a_teacher_makes_a_code_that_they_bear(self, anna):
        client = client_of(anna.user)
        page = make(client, total_limit="100", student_limit="1", last_day=str(timezone.localdate())).content.decode()
        code = DiscountCode.objects.get()
        assert (code.code, code.percent_bps, code.bearer, code.borne_by) == ("SPRING-10", 1000, anna, "teacher")
        assert (code.total_limit, code.student_limit, code.is_stackable) == (100, 1, False)
        assert code.ends_at > timezone.now()
        assert "SPRING-10" in page
        assert "10 % off" in page

    def test_an_amount_has_its_currency_and_least_spend(self, anna):
        make(client_of(anna.user), percent="", amount="5.00", least_spend="20", currency="GBP")
        amount = DiscountAmount.objects.get()
        assert (amount.currency, amount.off_minor, amount.least_spend_minor) == ("GBP", 500, 2000)

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"code": "a"}, "3 to 40 letters"),
            ({"percent": ""}, "Give a percentage or an amount."),
            ({"amount": "5"}, "not both"),
            ({"percent": "", "amount": "0"}, "more than zero"),
            ({"percent": "", "amount": "x"}, "amount"),
            ({"percent": "101"}, "less than or equal to 100"),
            ({"last_day": "2020-01-01"}, "This day is over."),
            ({"applies_to": "courses:999"}, "valid choice"),
            ({"currency": "XXX"}, "valid choice"),
            ({"total_limit": "0"}, "greater than or equal to 1"),
        ],
    )
    def test_bad_input_gets_a_message_and_makes_nothing(self, anna, fields, message):
        response = make(client_of(anna.user), **fields)
        assert response.status_code == 422
        assert message in response.content.decode()
        assert not DiscountCode.objects.exists()

    def test_a_code_that_is_taken_is_refused(self, anna):
        code_of(percent=5, code="SPRING-10")
        response = make(client_of(anna.user))
        assert response.status_code == 422
        assert "This code is taken." in response.content.decode()

    def test_a_teacher_sees_and_ends_their_own_codes_only(self, anna):
        own, other = code_of(percent=10, bearer=anna), code_of(percent=10, bearer=TeacherFactory())
        paid_discounted(1000, codes=[own], teacher=anna)
        client = client_of(anna.user)
        page = client.get(DESK).content.decode()
        assert own.code in page
        assert "£1.00" in page
        assert other.code not in page
        assert client.post(f"{DESK}{other.pk}/end/").status_code == 404
        assert client.post(f"{DESK}{2**63}/end/").status_code == 404
        assert client.post(f"{DESK}{own.pk}/end/").status_code == 302
        assert list(DiscountCode.objects.order_by("pk").values_list("is_active", flat=True)) == [False, True]

    def test_students_have_no_such_page(self):
        assert client_of(staff_in()).get(DESK).status_code == 302


def typed(**fields):
    rows = fields.pop("rows", [])
    data = {
        "code": "summer", "percent": "", "borne_by": "platform", "is_active": "on",
        "amounts-TOTAL_FORMS": str(len(rows)), "amounts-INITIAL_FORMS": "0", **fields,
    }  # fmt: skip
    for number, row in enumerate(rows):
        data |= {f"amounts-{number}-{name}": value for name, value in row.items()}
    return data


class TestAdmin:
    @pytest.fixture
    def finance(self):
        return client_of(staff_in("finance"))

    def add(self, client, **fields):
        return client.post(reverse("admin:payments_discountcode_add"), typed(**fields))

    def test_staff_make_a_percentage_of_the_platform(self, finance):
        assert self.add(finance, percent="12.5", total_limit="100").status_code == 302
        code = DiscountCode.objects.get()
        assert (code.code, code.percent_bps, code.borne_by, code.bearer) == ("SUMMER", 1250, "platform", None)
        assert code.created_by is not None

    def test_staff_make_amounts_by_currency_as_people_type_them(self, finance):
        rows = [
            {"currency": "GBP", "off_minor": "5.00", "least_spend_minor": "20"},
            {"currency": "JPY", "off_minor": "900", "least_spend_minor": ""},
        ]
        assert self.add(finance, rows=rows).status_code == 302
        amounts = DiscountAmount.objects.values_list("currency", "off_minor", "least_spend_minor")
        assert list(amounts) == [("GBP", 500, 2000), ("JPY", 900, 0)]

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"code": "!"}, "3 to 40 letters"),
            ({}, "Give a percentage"),
            ({"percent": "10", "rows": [{"currency": "GBP", "off_minor": "5"}]}, "not both"),
            ({"percent": "10", "borne_by": "teacher"}, "Say which teacher"),
            ({"percent": "10", "reference": "3"}, "Say which domain"),
            ({"percent": "10", "domain": "course"}, "course is not one of the available choices"),
            # Plans are sold on a page of their own, where no code can be entered.
            ({"percent": "10", "domain": "subscriptions"}, "subscriptions is not one of the available choices"),
        ],
    )
    def test_contradictions_are_explained(self, finance, fields, message):
        response = self.add(finance, **fields)
        assert response.status_code == 200
        assert message in response.content.decode()
        assert not DiscountCode.objects.exists()

    def test_the_page_shows_what_became_of_a_code_and_saving_it_keeps_the_count(self, finance):
        code = code_of(percent=10, total_limit=5)
        paid_discounted(1000, codes=[code])
        page = reverse("admin:payments_discountcode_change", args=[code.pk])
        assert "Paid orders: 1. Taken off: £1.00. Waiting for a payment: 0" in finance.get(page).content.decode()
        assert finance.post(page, typed(code=code.code, percent="20", total_limit="9")).status_code == 302
        code.refresh_from_db()
        assert (code.percent_bps, code.total_limit, code.used) == (2000, 9, 1)
        refused = finance.post(page, typed(code=code.code, percent="20", total_limit="0"))
        assert "It has been used 1 times." in refused.content.decode()
        assert finance.get(reverse("admin:payments_redemption_changelist")).status_code == 200
        assert finance.get(reverse("admin:payments_discountcode_changelist")).status_code == 200

    def test_many_codes_are_made_like_one(self, finance):
        like = code_of(off=[Money(500, "GBP")], least=[Money(1000, "GBP")], ends_at=timezone.now())
        page = reverse("admin:payments_discountcode_make_many", args=[like.pk])
        assert finance.get(page).status_code == 200
        finance.post(page, {"count": "40", "begin_with": "fair", "batch": "Book fair"})
        made = DiscountCode.objects.filter(batch="Book fair")
        assert made.count() == made.filter(total_limit=1, ends_at=like.ends_at, code__startswith="FAIR-").count() == 40
        assert DiscountAmount.objects.filter(code__in=made, off_minor=500, least_spend_minor=1000).count() == 40
        refused = finance.post(page, {"count": "2", "begin_with": "schön", "batch": "x"})
        assert "Use up to 20 letters" in refused.content.decode()

    def test_support_may_look_but_not_make(self):
        support = client_of(staff_in("support"))
        code = code_of(percent=10)
        assert support.get(reverse("admin:payments_discountcode_changelist")).status_code == 200
        assert support.post(reverse("admin:payments_discountcode_add"), typed(percent="10")).status_code == 403
        page = reverse("admin:payments_discountcode_make_many", args=[code.pk])
        assert support.post(page, {"count": "2", "begin_with": "", "batch": "x"}).status_code in (302, 403)
        assert DiscountCode.objects.count() == 1
