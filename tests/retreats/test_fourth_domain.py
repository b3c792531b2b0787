"""A fourth domain is one folder and one line in the settings: no other app has to change."""

import re
import subprocess

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.utils.module_loading import autodiscover_modules

from accounts.roles import ROLES
from accounts.tests.factories import TeacherFactory, UserFactory
from payments.models import Cart, Order
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for
from tests.market import open_order, signed_in
from tests.retreats.factories import make_retreat
from tests.retreats.models import Stay
from workshops.models import Registration
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db


def test_no_other_file_mentions_it():
    found = subprocess.run(
        ["git", "grep", "-il", "retreat", "--", ".", ":!*.md", ":!tests", ":!*/tests/*"],
        check=False,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    # 1 is git's answer for "nothing found".
    assert (found.returncode, found.stdout) == (1, "")


def test_students_and_teachers_find_it_in_their_menus():
    teacher = TeacherFactory()
    page = signed_in(teacher.user).get("/teach/retreats/").content.decode()
    assert re.search(r'<a href="/my/retreats/">My retreats</a>', page)
    assert re.search(r'<a href="/teach/retreats/" aria-current="page">Retreats</a>', page)


@pytest.mark.parametrize(("group", "may_change"), [("support", True), ("finance", False), ("admin", True)])
def test_each_group_of_staff_has_its_rights(group, may_change):
    staff = UserFactory(is_staff=True)
    staff.groups.add(Group.objects.get(name=group))
    assert staff.has_perm("retreats.view_retreat")
    assert staff.has_perm("retreats.change_retreat") == may_change
    client = signed_in(staff)
    assert client.get("/admin/retreats/stay/").status_code == 200
    assert "/admin/retreats/retreat/" in client.get("/admin/").content.decode()
    assert set(ROLES) == {"support", "finance", "admin"}


def test_its_periodic_work_is_scheduled():
    entry = current_app.conf.beat_schedule["retreats.free_lapsed_holds"]
    assert (entry["schedule"], entry["options"]["queue"]) == (3600.0, "background")
    autodiscover_modules("tasks")
    assert entry["task"] in current_app.tasks


def test_it_is_bought_in_one_cart_with_other_domains_and_delivered():
    student, retreat, workshop = UserFactory(), make_retreat(), make_workshop()
    client = Client()
    client.force_login(student)
    client.post("/cart/add/", {"domain": "retreats", "reference": retreat.pk, "quantity": 2})
    client.post("/cart/add/", {"domain": "workshops", "reference": workshop.pk, "quantity": 1})
    assert Cart.objects.get(user=student).lines.count() == 2
    order, _ = settle_payment(evidence_for(open_order(student)))
    assert Order.objects.get(pk=order.pk).state == "completed"
    assert Stay.objects.get(guest=student, state="confirmed").places == 2
    assert Registration.objects.filter(buyer=student, state="confirmed").count() == 1
    page = client.get(order.get_absolute_url()).content.decode()
    assert "Silence" in page
    assert "/my/retreats/" in page
