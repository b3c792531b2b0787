"""The audit trail: kept by the database whatever writes, with who and which request; append-only."""

import csv
import io
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import TeacherFactory, UserFactory
from catalogue.models import Subject
from jobs.retention import delete_expired
from operations.audit.erasure import forget
from operations.audit.tracked import tracked_models
from operations.models import Change
from operations.retention import RETENTION

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def desk(boss):
    client = Client()
    client.force_login(boss)
    return client


def changes_of(thing, **narrowed):
    found = Change.objects.filter(model=thing._meta.label_lower, object_id=str(thing.pk), **narrowed)
    return list(found.order_by("pk"))


def test_a_change_in_the_admin_is_kept_with_person_request_before_and_after(desk, boss):
    subject = Subject.objects.create(name="Guitar", slug="guitar")
    form = {"name": "Lute", "slug": "guitar", "broader": "", "chosen_tone": "", "chosen_motif": ""}
    response = desk.post(f"/admin/catalogue/subject/{subject.pk}/change/", form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    [change] = changes_of(subject, action="update")
    assert (change.before, change.after) == ({"name": "Guitar"}, {"name": "Lute"})
    assert change.actor == boss
    assert change.source == "admin"
    assert change.place == f"/admin/catalogue/subject/{subject.pk}/change/"
    assert change.request_id == response["X-Request-Id"]


def test_bulk_updates_and_raw_sql_are_kept_too():
    subject = Subject.objects.create(name="Guitar", slug="guitar")
    Subject.objects.filter(pk=subject.pk).update(name="Lute")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalogue_subject SET name = 'Harp' WHERE id = %s", [subject.pk])
        cursor.execute("DELETE FROM catalogue_subject WHERE id = %s", [subject.pk])
    kept = changes_of(subject)
    assert [change.action for change in kept] == ["insert", "update", "update", "delete"]
    assert [change.after and change.after["name"] for change in kept] == ["Guitar", "Lute", "Harp", None]
    assert [change.before and change.before["name"] for change in kept] == [None, "Guitar", "Lute", "Harp"]
    assert {change.source for change in kept} == {"database"}
    assert {change.actor_id for change in kept} == {None}
    assert kept[0].database_user


def test_what_is_rolled_back_leaves_no_trace():
    subject = Subject.objects.create(name="Guitar", slug="guitar")
    with transaction.atomic():
        Subject.objects.filter(pk=subject.pk).update(name="Lute")
        transaction.set_rollback(True)
    assert [change.action for change in changes_of(subject)] == ["insert"]


def test_groups_and_second_factors_count_as_changes_of_the_person():
    user = UserFactory()
    user.groups.add(Group.objects.get(name="finance"))
    TOTP.activate(user, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    tables = {change.table_name for change in changes_of(user)}
    assert {"accounts_user", "accounts_user_groups", "mfa_authenticator", "account_emailaddress"} <= tables


def test_secrets_are_not_kept_but_their_change_is():
    user = UserFactory()
    TOTP.activate(user, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    user.set_password("another long password")
    user.save()
    [password] = [change for change in changes_of(user, action="update") if "password" in change.after]
    assert password.before == password.after == {"password": "(hidden)"}
    [factor] = changes_of(user, table_name="mfa_authenticator")
    assert factor.after["data"] == "(hidden)"


def test_signing_in_alone_is_no_change():
    user = UserFactory()
    before = len(changes_of(user))
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    assert len(changes_of(user)) == before


def test_a_person_who_signs_up_is_named_for_what_follows_in_the_same_request():
    form = {"full_name": "Ada", "email": "ada@example.org", "password1": "correct horse battery"}
    Client().post("/accounts/signup/", form)
    ada = User.objects.get(email="ada@example.org")
    actors = [change.actor_id for change in changes_of(ada)]
    assert actors[0] is None
    assert {change.source for change in changes_of(ada)} == {"site"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE operations_change SET actor_id = NULL, source = 'work'",
        'UPDATE operations_change SET after = \'{"name": "Lute"}\'',
        "UPDATE operations_change SET after = '{}'",
        "UPDATE operations_change SET after = NULL",
        'UPDATE operations_change SET before = \'{"name": "Harp"}\'',
        "UPDATE operations_change SET after = after || '{\"more\": 1}'",
        "DELETE FROM operations_change",
        "TRUNCATE operations_change",
    ],
)
def test_the_trail_cannot_be_rewritten(statement):
    Subject.objects.create(name="Guitar", slug="guitar")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_person_is_erased_from_the_trail_but_not_what_was_done(boss):
    teacher = TeacherFactory(user__full_name="Ada Lovelace", biography="Counts.")
    user = teacher.user
    User.objects.filter(pk=user.pk).update(full_name="Ada King", is_staff=True)
    before = Change.objects.count()
    assert forget(user) > 0
    assert Change.objects.count() == before
    said = str(list(Change.objects.values_list("before", "after")))
    for personal in ("Ada", "Counts.", user.email):
        assert personal not in said
    [change] = changes_of(user, action="update")
    assert change.after == {"full_name": "(erased)", "is_staff": True}
    assert boss.email in said
    again = Change.objects.values_list("before", "after")
    kept = list(again)
    forget(user)
    assert list(again.all()) == kept


def test_changes_go_after_their_time_and_never_within_a_year(settings):
    Subject.objects.create(name="Guitar", slug="guitar")
    [retention] = RETENTION
    assert delete_expired(retention) == 0
    settings.AUDIT_TRAIL_KEPT = timedelta(0)
    with pytest.raises(IntegrityError), transaction.atomic():
        delete_expired(retention)
    age_by(days=400)
    settings.AUDIT_TRAIL_KEPT = timedelta(days=500)
    assert delete_expired(retention) == 0
    settings.AUDIT_TRAIL_KEPT = timedelta(days=399)
    assert delete_expired(retention) > 0
    assert not Change.objects.exists()


def age_by(*, days):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE operations_change DISABLE TRIGGER USER")
        cursor.execute("UPDATE operations_change SET at = at - make_interval(days => %s)", [days])
        cursor.execute("ALTER TABLE operations_change ENABLE TRIGGER USER")


# --- Everything that staff can change is tracked

# What staff see but that the site keeps a history of itself, or that is a copy of Stripe's.
NOT_TRACKED = {
    "catalogue.listing": "derived from the items",
}


def test_every_list_whose_rows_staff_can_change_is_tracked(rf, boss):
    request = rf.get("/admin/")
    request.user = boss
    changeable = {
        model._meta.label_lower
        for model, model_admin in admin.site._registry.items()
        if model_admin.has_change_permission(request) or model_admin.has_add_permission(request)
    }
    ours = {label for label in changeable if not label.startswith(("djstripe.", "retreats."))}
    assert ours - set(tracked_models()) - NOT_TRACKED.keys() == set()


# --- The viewer


def rows_of(response):
    return list(response.context["cl"].result_list)


def test_the_trail_is_narrowed_by_person_kind_object_period_and_request(desk, boss):
    subject = Subject.objects.create(name="Guitar", slug="guitar")
    other = Subject.objects.create(name="Piano", slug="piano")
    form = {"name": "Lute", "slug": "guitar", "broader": "", "chosen_tone": "", "chosen_motif": ""}
    request_id = desk.post(f"/admin/catalogue/subject/{subject.pk}/change/", form)["X-Request-Id"]
    [change] = changes_of(subject, action="update")
    today = f"{timezone.now():%Y-%m-%d}"
    page = "/admin/operations/change/"
    assert rows_of(desk.get(page, {"who": boss.email.upper()})) == [change]
    assert rows_of(desk.get(page, {"request": request_id})) == [change]
    about = {"kind": "catalogue.subject", "object": str(other.pk)}
    assert [row.after["name"] for row in rows_of(desk.get(page, about))] == ["Piano"]
    assert change in rows_of(desk.get(page, {"since": today, "until": today}))
    assert rows_of(desk.get(page, {"since": "2001-01-01", "until": "2001-01-02"})) == []
    assert change in rows_of(desk.get(page, {"source": "admin"}))
    text = desk.get(page, {"request": request_id}).content.decode()
    assert "name: Guitar → Lute" in text
    assert desk.get(f"{page}{change.pk}/change/").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"since": "9999-12-31"},
        {"until": "0001-01-01"},
        {"emergency": "9" * 30},
        {"emergency": "²"},
        {"kind": "no.such.thing"},
        {"who": "x" * 300},
    ],
)
def test_odd_filters_find_nothing_and_do_no_harm(desk, query):
    Subject.objects.create(name="Guitar", slug="guitar")
    response = desk.get("/admin/operations/change/", query)
    assert response.status_code == 200
    assert rows_of(response) == []


def test_the_history_of_an_object_leads_to_its_trail(desk):
    subject = Subject.objects.create(name="Guitar", slug="guitar")
    text = desk.get(f"/admin/catalogue/subject/{subject.pk}/history/").content.decode()
    assert f"/admin/operations/change/?kind=catalogue.subject&amp;object={subject.pk}" in text


def test_an_export_holds_what_was_found_and_is_itself_recorded(desk, boss):
    Subject.objects.create(name="=HYPERLINK(1)", slug="guitar")
    response = desk.post("/admin/operations/change/export/?kind=catalogue.subject")
    lines = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert [line["Kind of object"] for line in lines] == ["catalogue.subject"]
    assert "HYPERLINK" in lines[0]["After"]
    [export] = Change.objects.filter(model="operations.change")
    assert export.actor == boss
    assert export.after == {"filters": "kind=catalogue.subject", "lines": 1}
    assert desk.get("/admin/operations/change/export/").status_code == 405


def test_who_may_see_and_who_may_export(boss):
    expected = {"support": (403, 403), "finance": (200, 403), "admin": (200, 200)}
    for group, answers in expected.items():
        user = UserFactory(is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        seen = client.get("/admin/operations/change/").status_code
        exported = client.post("/admin/operations/change/export/").status_code
        assert (seen, exported) == answers, group


def test_nobody_can_change_the_trail_in_the_admin(desk):
    Subject.objects.create(name="Guitar", slug="guitar")
    change = Change.objects.latest("pk")
    assert desk.get("/admin/operations/change/add/").status_code == 403
    assert desk.post(f"/admin/operations/change/{change.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.post(f"/admin/operations/change/{change.pk}/change/", {}).status_code == 403
