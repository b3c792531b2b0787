"""Emergency access: a role for a limited time, alerted, marked, ended by itself and reported."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import UserFactory
from catalogue.models import Subject
from notifications.models import Alert, Mail
from operations.emergency.report import report_ended
from operations.emergency.taking import AccessIsRunning, end_access, take_role
from operations.models import Change, EmergencyAccess

pytestmark = pytest.mark.django_db
REASON = "The catalogue shows a wrong subject."


@pytest.fixture
def helper():
    """A member of the support staff who may take a role in an emergency."""
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="finance"))
    user.user_permissions.add(Permission.objects.get(codename="take_emergencyaccess"))
    return user


@pytest.fixture
def boss():
    return UserFactory(is_staff=True, is_superuser=True)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def take(user, *, role="admin", minutes=15):
    return take_role(user=user, role=role, reason=REASON, lasting=timedelta(minutes=minutes))


def again(user):
    """The account as the next request loads it."""
    return User.objects.get(pk=user.pk)


def pass_time(**interval):
    """Move every access back, as if that much time had passed."""
    with connection.cursor() as cursor:
        # What waits for the end of the transaction would forbid to alter the table.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE operations_emergencyaccess DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE operations_emergencyaccess SET started_at = started_at - %s, ends_at = ends_at - %s",
            [timedelta(**interval)] * 2,
        )
        cursor.execute("ALTER TABLE operations_emergencyaccess ENABLE TRIGGER USER")


def test_a_role_is_given_at_once_and_ends_by_itself(helper):
    assert not again(helper).has_perm("catalogue.change_subject")
    take(helper)
    assert again(helper).has_perm("catalogue.change_subject")
    pass_time(minutes=16)
    assert not again(helper).has_perm("catalogue.change_subject")
    assert again(helper).has_perm("payments.view_order")


def test_it_gives_no_permission_that_would_make_it_permanent(helper):
    take(helper)
    user = again(helper)
    assert not user.has_perm("accounts.change_user")
    assert not user.has_perm("accounts.add_user")


def test_it_gives_nothing_to_former_staff(helper):
    take(helper)
    User.objects.filter(pk=helper.pk).update(is_staff=False)
    assert not again(helper).has_perm("catalogue.change_subject")


def test_on_the_site_it_is_asked_for_with_a_reason_and_alerts(helper, boss):
    desk = signed_in(helper)
    page = reverse("admin:operations_emergencyaccess_take")
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"role": "admin", "minutes": "15", "reason": "short"}).status_code == 200
    assert not EmergencyAccess.objects.exists()
    assert desk.post(page, {"role": "admin", "minutes": "15", "reason": REASON}).status_code == 302
    [access] = EmergencyAccess.objects.all()
    alert = Alert.objects.get(key=f"emergency-access:{access.pk}")
    assert helper.email in alert.title
    assert alert.detail["reason"] == REASON
    assert Mail.objects.filter(key__startswith=f"alert:{alert.pk}:", to=boss.email).exists()
    assert f"Emergency: {access.role} until" in desk.get("/admin/").content.decode()


def test_only_people_with_the_permission_take_one():
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="support"))
    desk = signed_in(user)
    answer = {"role": "admin", "minutes": "15", "reason": REASON}
    assert desk.post(reverse("admin:operations_emergencyaccess_take"), answer).status_code == 403
    assert desk.get("/admin/operations/emergencyaccess/").status_code == 403
    assert not EmergencyAccess.objects.exists()


def test_every_change_under_it_is_marked_and_none_after_it(helper):
    subject = Subject.objects.create(name="Guitar", slug="guitar")
    access = take(helper)
    desk = signed_in(helper)
    form = {"name": "Lute", "slug": "guitar", "broader": "", "chosen_tone": "", "chosen_motif": ""}
    assert desk.post(f"/admin/catalogue/subject/{subject.pk}/change/", form).status_code == 302
    [change] = Change.objects.filter(emergency_access_id=access.pk, model="catalogue.subject")
    assert change.after == {"name": "Lute"}
    assert change.actor == helper
    assert "1 change" in desk.get(f"/admin/operations/emergencyaccess/{access.pk}/change/").content.decode()
    pass_time(minutes=16)
    assert desk.post(f"/admin/catalogue/subject/{subject.pk}/change/", form | {"name": "Harp"}).status_code == 403
    assert Change.objects.filter(emergency_access_id=access.pk, model="catalogue.subject").count() == 1


def test_a_report_is_mailed_once_when_it_is_over_and_the_alert_clears(helper, boss):
    access = take(helper)
    signed_in(helper).post("/admin/catalogue/subject/add/", {"name": "Guitar", "slug": "guitar"})
    assert report_ended() == 0
    pass_time(minutes=16)
    assert report_ended() == 1
    assert report_ended() == 0
    mails = Mail.objects.filter(key__startswith=f"emergency-access:{access.pk}:")
    assert {mail.to for mail in mails} == {boss.email, helper.email}
    assert mails[0].context["count"] == 1
    assert "catalogue.subject" in mails[0].context["lines"][0]
    assert Alert.objects.get(key=f"emergency-access:{access.pk}").cleared_at


def test_it_is_ended_by_the_person_or_by_staff_who_manage_staff_and_by_no_others(helper, boss):
    access = take(helper)
    other = UserFactory(is_staff=True)
    other.user_permissions.add(Permission.objects.get(codename="take_emergencyaccess"))
    page = f"/admin/operations/emergencyaccess/{access.pk}/end/"
    assert signed_in(other).post(page).status_code == 403
    assert signed_in(helper).get(page).status_code == 405
    assert signed_in(boss).post(page).status_code == 302
    access.refresh_from_db()
    assert access.ended_by == boss
    assert not again(helper).has_perm("catalogue.change_subject")
    assert not end_access(access=access, by=boss)
    assert take(helper).pk != access.pk


def test_two_at_once_are_refused(helper):
    take(helper)
    with pytest.raises(AccessIsRunning):
        take(helper, role="support")
    assert EmergencyAccess.objects.count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE operations_emergencyaccess SET ends_at = ends_at + interval '1 minute'",
        "UPDATE operations_emergencyaccess SET role = 'finance'",
        "UPDATE operations_emergencyaccess SET reason = 'A reason that sounds better.'",
        "UPDATE operations_emergencyaccess SET started_at = now() - interval '1 day'",
        "DELETE FROM operations_emergencyaccess",
        "TRUNCATE operations_emergencyaccess",
    ],
)
def test_the_database_prolongs_and_rewrites_none(helper, statement):
    take(helper)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(statement)


@pytest.mark.parametrize("lasting", [timedelta(hours=4, minutes=1), timedelta(0), timedelta(minutes=-5)])
def test_the_database_limits_the_time(helper, lasting):
    with pytest.raises(IntegrityError), transaction.atomic():
        EmergencyAccess.objects.create(user=helper, role="admin", reason=REASON, ends_at=Now() + lasting)


def test_an_ended_one_cannot_be_resumed(helper):
    access = take(helper)
    end_access(access=access, by=helper)
    with pytest.raises(IntegrityError), transaction.atomic():
        EmergencyAccess.objects.filter(pk=access.pk).update(ended_at=None, ended_by=None)
