"""Who and where, told to the database: in requests, in tasks, and not beyond them."""

import pytest
from django.db import connection
from django.test import Client

from accounts.tests.factories import UserFactory
from catalogue.models import Subject
from config.celery import app
from operations.models import Change

# What is said of a change holds to the end of its transaction, so each statement must have its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rename_task():
    @app.task(name="tests.rename_subjects")
    def rename():
        Subject.objects.update(name="Lute")

    yield rename
    app.tasks.pop("tests.rename_subjects")


def latest():
    return Change.objects.filter(model="catalogue.subject").latest("pk")


def test_a_task_is_named_and_what_follows_it_is_not(rename_task):
    Subject.objects.create(name="Guitar", slug="guitar")
    rename_task.apply()
    assert (latest().source, latest().place) == ("work", "tests.rename_subjects")
    Subject.objects.update(name="Harp")
    assert (latest().source, latest().place) == ("database", "")


def test_a_task_within_a_task_leaves_the_outer_one_named(rename_task):
    Subject.objects.create(name="Guitar", slug="guitar")

    @app.task(name="tests.outer")
    def outer():
        rename_task.apply()
        Subject.objects.update(name="Harp")

    outer.apply()
    app.tasks.pop("tests.outer")
    assert (latest().source, latest().place) == ("work", "tests.outer")


def test_nothing_of_a_request_stays_on_its_connection():
    boss = UserFactory(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss)
    client.post("/admin/catalogue/subject/add/", {"name": "Guitar", "slug": "guitar"})
    Subject.objects.update(name="Lute")
    assert not connection.execute_wrappers
