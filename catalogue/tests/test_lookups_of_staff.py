"""Staff find people and titles however they are written."""

import pytest
from django.urls import reverse

from accounts.models import Teacher, User
from accounts.tests.factories import TeacherFactory, UserFactory
from catalogue.tests.factories import ListingFactory

pytestmark = pytest.mark.django_db
NAMES = [
    ("Jürgen Müller", "muller"), ("Ju\u0308rgen", "JURGEN"), ("Đặng Thị", "dang thi"), ("Groß", "gross"), ("Łódź", "lodz"),
    ("O’Brien", "o'brien"), ("O'Brien", "O’Brien"), ("Ærø", "aero"), ("Þór", "thor"), ("Ｆｕｌｌ", "full"), ("100%", "%"),
    ("日本語入門", "入門"), ("Ὀδυσσεύς", "οδυσσευς"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "typed"), NAMES)
def test_a_name_is_found_as_people_type_it(written, typed):
    user = UserFactory(full_name=written)
    UserFactory(full_name="Somebody Else")
    assert list(User.objects.filter(full_name__resembles=typed)) == [user]


@pytest.mark.parametrize(
    ("model", "path"),
    [("teacher", "admin:accounts_teacher_changelist"), ("listing", "admin:catalogue_listing_changelist")],
)
def test_the_lists_of_staff_find_names_without_accents(client, model, path):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    teacher = TeacherFactory(display_name="Jürgen Müller")
    ListingFactory(title="Lute", teacher=teacher)
    ListingFactory(title="Drums")
    found = client.get(reverse(path), {"q": "Muller"}).context["cl"].queryset
    assert [str(row) for row in found] == ["Jürgen Müller" if model == "teacher" else "Lute"]
    assert Teacher.objects.count() == 2
