import threading

import pytest
from django.db import IntegrityError, connections, transaction

from accounts import applications
from accounts.applications import (
    AlreadyTeaching,
    Application,
    DecisionNotPossible,
    apply_to_teach,
    approve_teacher,
    decline_teacher,
    listen_to_decisions,
    suspend_teacher,
)
from accounts.models import Teacher, User
from accounts.tests.factories import TeacherFactory, UserFactory

pytestmark = pytest.mark.django_db
Status = Teacher.Status


@pytest.fixture
def heard(monkeypatch):
    statuses = []
    monkeypatch.setattr(applications, "_listeners", [lambda teacher: statuses.append(teacher.status)])
    return statuses


@pytest.fixture
def boss():
    return UserFactory(is_staff=True)


def application(name="Ada Lovelace"):
    return Application(display_name=name, biography="I teach.", languages=["en"], regions=["GB"])


def test_an_application_waits_for_staff(heard):
    teacher = apply_to_teach(user=UserFactory(), application=application())
    assert (teacher.status, teacher.slug, teacher.languages) == (Status.APPLIED, "ada-lovelace", ["en"])
    assert heard == [Status.APPLIED]


def test_people_of_one_name_get_addresses_of_their_own():
    slugs = [apply_to_teach(user=UserFactory(), application=application()).slug for _ in range(3)]
    assert slugs == ["ada-lovelace", "ada-lovelace-2", "ada-lovelace-3"]


@pytest.mark.parametrize("name", ["李小龙", "!!!", "\u202e", "a" * 100, "new"])
def test_any_name_gives_an_address(name):
    slug = apply_to_teach(user=UserFactory(), application=application(name)).slug
    assert 1 <= len(slug) <= 50
    assert slug.isascii()


def test_one_application_at_a_time(heard):
    user = UserFactory()
    apply_to_teach(user=user, application=application())
    with pytest.raises(AlreadyTeaching):
        apply_to_teach(user=user, application=application())
    assert heard == [Status.APPLIED]


def test_declined_people_may_apply_again_under_the_same_address(boss):
    teacher = apply_to_teach(user=UserFactory(), application=application())
    decline_teacher(teacher=teacher, by=boss, note="Tell us more.")
    again = apply_to_teach(user=teacher.user, application=application("Ada King"))
    assert (again.pk, again.status, again.slug) == (teacher.pk, Status.APPLIED, "ada-lovelace")
    assert (again.decided_at, again.decided_by, again.decision_note) == (None, None, "")


@pytest.mark.parametrize("status", [Status.APPROVED, Status.SUSPENDED, Status.APPLIED])
def test_people_who_were_not_declined_may_not_apply_again(status):
    teacher = TeacherFactory(status=status)
    with pytest.raises(AlreadyTeaching):
        apply_to_teach(user=teacher.user, application=application())
    teacher.refresh_from_db()
    assert teacher.status == status


DECISIONS = [
    (approve_teacher, {Status.APPLIED, Status.DECLINED, Status.SUSPENDED}, Status.APPROVED),
    (decline_teacher, {Status.APPLIED}, Status.DECLINED),
    (suspend_teacher, {Status.APPROVED}, Status.SUSPENDED),
]


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("before", Status)
def test_a_decision_is_possible_only_where_it_makes_sense(heard, boss, decision, before):
    decide, possible_from, becomes = decision
    teacher = TeacherFactory(status=before)
    if before in possible_from:
        decided = decide(teacher=teacher, by=boss)
        assert (decided.status, decided.decided_by) == (becomes, boss)
        assert heard == [becomes]
    else:
        with pytest.raises(DecisionNotPossible):
            decide(teacher=teacher, by=boss)
        teacher.refresh_from_db()
        assert teacher.status == before
        assert heard == []


def test_a_listener_that_fails_undoes_the_decision(monkeypatch, boss):
    def fail(teacher):
        raise RuntimeError

    monkeypatch.setattr(applications, "_listeners", [fail])
    teacher = TeacherFactory(status=Status.APPLIED)
    with pytest.raises(RuntimeError):
        approve_teacher(teacher=teacher, by=boss)
    teacher.refresh_from_db()
    assert teacher.status == Status.APPLIED


def test_a_listener_is_registered_once(heard):
    def listener(teacher):
        return None

    listen_to_decisions(listener)
    with pytest.raises(ValueError, match="already"):
        listen_to_decisions(listener)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_application():
    user = UserFactory()
    outcomes = []

    def click():
        try:
            apply_to_teach(user=user, application=application())
            outcomes.append("applied")
        except AlreadyTeaching:
            outcomes.append("refused")
        finally:
            connections.close_all()

    _at_once([click] * 8)
    assert sorted(outcomes) == ["applied"] + ["refused"] * 7


@pytest.mark.django_db(transaction=True)
def test_people_of_one_name_who_apply_at_once_all_get_through():
    people = UserFactory.create_batch(8)

    def click(user):
        try:
            apply_to_teach(user=user, application=application())
        finally:
            connections.close_all()

    _at_once([lambda user=user: click(user) for user in people])
    assert len(set(Teacher.objects.values_list("slug", flat=True))) == 8


def _at_once(calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_database_refuses_what_the_code_would():
    teacher = TeacherFactory()
    for change in ({"status": "boss"}, {"commission_bps": 10_001}, {"slug": TeacherFactory().slug}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Teacher.objects.filter(pk=teacher.pk).update(**change)
    UserFactory(email="ada@example.org")
    for email in ("Ada@example.org", "ada@example.org"):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=teacher.user_id).update(email=email)
