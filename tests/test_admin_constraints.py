"""Staff who break a rule of the database are told in words what is wrong."""

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import PASSWORD
from tests.market import signed_in
from workshops.tests.factories import make_workshop
from workshops.tests.test_admin import sent_for


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prices-0-early_bird_amount_minor": "30"}, "needs an end, and must be lower than the price"),
        (
            {
                "registration_opens_at_0": "2027-03-02", "registration_opens_at_1": "10:00",
                "registration_closes_at_0": "2027-03-01", "registration_closes_at_1": "10:00",
            },
            "Registration must close after it opens.",
        ),
    ],
)  # fmt: skip
def test_staff_read_what_is_wrong_with_a_workshop(settings, changes, said):
    settings.STAFF_NEEDS_MFA = False
    workshop = make_workshop()
    staff = signed_in(User.objects.create_superuser("staff@example.org", PASSWORD))
    page = staff.post(reverse("admin:workshops_workshop_change", args=[workshop.pk]), sent_for(workshop, **changes))
    assert page.status_code == 200
    assert said in page.content.decode()
    assert "Constraint" not in page.content.decode()
