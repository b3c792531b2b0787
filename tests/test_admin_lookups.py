"""No admin list filters by fields that it does not offer, whichever library registered it.

A list that filters by any look-up in its address shows a row or none, and so reveals any field one character at a time:
password hashes, links that sign people in. Everything here is tried as staff who may view everything and change
nothing.
"""

from urllib.parse import parse_qsl

import pytest
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import Permission
from django.db.models import JSONField
from django.test import RequestFactory
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import UserFactory
from notifications.mails import queue_mail
from notifications.models import Mail
from tests.market import open_market, signed_in

pytestmark = pytest.mark.django_db
MODELS = {model._meta.label: model for model in admin.site._registry}
ENDINGS = ("", "__exact", "__startswith", "__regex", "__in", "__isnull", "__gte")


def onlooker():
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return user


def list_address(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def is_refused(response):
    return response.status_code == 400 or (
        response.status_code == 302 and response.headers["Location"].endswith("?e=1")
    )


def columns(model):
    return [field for field in model._meta.get_fields() if getattr(field, "attname", None)]


def look_ups_of_fields(model):
    """Each field with each look-up, and keys of JSON."""
    for field in columns(model):
        yield from (f"{field.name}{ending}" for ending in ENDINGS)
        yield from (f"{name}__startswith" for name in {field.attname} - {field.name})
        if isinstance(field, JSONField):
            yield from (f"{field.name}__path", f"{field.name}__path__startswith", f"{field.name}__0__a__icontains")


def look_ups_of_relations(model):
    """Each field of each relation, including reverse ones, and keys of its JSON."""
    for relation in model._meta.get_fields():
        if relation.is_relation and relation.related_model:
            for field in columns(relation.related_model):
                yield f"{relation.name}__{field.name}__startswith"
                if isinstance(field, JSONField):
                    yield f"{relation.name}__{field.name}__path__startswith"


def shown_list(user, model, **query):
    """The list as its admin makes it, without rendering."""
    request = RequestFactory().get(list_address(model), query)
    request.user, request._messages = user, []
    return admin.site.get_model_admin(model).get_changelist_instance(request)


def declared_look_ups(shown):
    """The look-ups of the list's own filters; those of filters with one choice are not shown, but accepted."""
    own = {entry.parameter_name for entry in shown.list_filter if isinstance(entry, type)}
    by_field = [entry for entry in shown.list_filter if not isinstance(entry, type)]
    paths = [entry if isinstance(entry, str) else entry[0] for entry in by_field]
    return own.union(
        {f"{path}__isnull" for path in paths}, *(spec.expected_parameters() for spec in shown.filter_specs)
    )


@pytest.mark.parametrize("label", MODELS)
@pytest.mark.slow
def test_a_look_up_that_is_not_declared_is_refused(label):
    model, staff = MODELS[label], onlooker()
    client = signed_in(staff)
    declared = declared_look_ups(shown_list(staff, model))
    asked = set(look_ups_of_fields(model)) - declared
    assert asked
    assert [name for name in sorted(asked) if not is_refused(client.get(list_address(model), {name: "1"}))] == []
    for name in set(look_ups_of_relations(model)) - declared:
        with pytest.raises((DisallowedModelAdminLookup, IncorrectLookupParameters)):
            pytest.fail(f"{name}: {shown_list(staff, model, **{name: '1'}).result_list}")


@pytest.mark.slow
def test_every_declared_filter_works():
    open_market()
    staff = onlooker()
    followed = 0
    for model in MODELS.values():
        shown = shown_list(staff, model)
        for spec in shown.filter_specs:
            for choice in spec.choices(shown):
                query = dict(parse_qsl(choice["query_string"].removeprefix("?")))
                narrowed = shown_list(staff, model, **query)
                assert set(narrowed.result_list) <= set(shown.result_list), (model, choice)
                followed += 1
        if shown.date_hierarchy and (row := model._base_manager.first()):
            day = getattr(row, shown.date_hierarchy)
            query = {f"{shown.date_hierarchy}__{part}": getattr(day, part) for part in ("year", "month", "day")}
            assert row in shown_list(staff, model, **query).result_list
    assert followed > 100


def test_a_filter_by_a_declared_field_narrows_the_list():
    UserFactory(is_active=False, email="gone@example.org")
    emails = {user.email for user in shown_list(onlooker(), User, is_active__exact="0").result_list}
    assert emails == {"gone@example.org"}


@pytest.mark.parametrize("label", MODELS)
def test_lists_are_sorted_by_shown_columns_only(label):
    """The address gives a column by its number; no number leads to another field."""
    model, staff = MODELS[label], onlooker()
    shown = shown_list(staff, model)
    known = set(filter(None, (shown.get_ordering_field(column) for column in shown.list_display)))
    default = {field.lstrip("-") for field in [*shown._get_default_ordering(), "pk"] if isinstance(field, str)}
    for number in [*range(-3, len(shown.list_display) + 3), "password", "-password", "1.password"]:
        sorted_list = shown_list(staff, model, o=str(number))
        names = {name.lstrip("-") for name in sorted_list.queryset.query.order_by if isinstance(name, str)}
        assert names <= known | default | {model._meta.pk.name}, number


@pytest.mark.parametrize("label", MODELS)
def test_popups_hand_out_what_rows_refer_to_and_nothing_else(label):
    model, client = MODELS[label], signed_in(onlooker())
    for field in columns(model):
        response = client.get(list_address(model), {"_to_field": field.name, "_popup": "1"})
        if not (field.primary_key or (field.unique and field.name == "id")):
            assert response.status_code == 400, field.name


# --- Secrets, wherever they are stored

SECRET = "canarysecret"


def store_secrets():
    """Store one row of each kind that has secrets; each field that must not be readable holds the word above."""
    user = UserFactory()
    User.objects.filter(pk=user.pk).update(password=f"{SECRET}$1$hash")
    queue_mail(
        key="reset",
        to=user,
        template="account/email/password_reset",
        context={"path": f"/accounts/password/reset/key/{SECRET}/", "name": "Ada"},
    )
    Mail.objects.update(subject=f"Subject {SECRET}", text_body=SECRET, html_body=SECRET)


@pytest.mark.parametrize("label", MODELS)
def test_search_finds_no_secret(label):
    store_secrets()
    model, staff = MODELS[label], onlooker()
    # Without fields to search, `q` changes nothing.
    if admin.site._registry[model].search_fields:
        assert not shown_list(staff, model, q=SECRET).result_list
    if model is Mail:
        assert shown_list(staff, model, q="reset").result_list


def test_boxes_that_complete_find_no_secret_and_serve_declared_fields_only():
    store_secrets()
    client = signed_in(onlooker())
    offered = set()
    for model in MODELS.values():
        for field in model._meta.get_fields(include_hidden=True):
            asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
            response = client.get(reverse("admin:autocomplete"), {**asked, "term": SECRET})
            assert response.status_code in (200, 403)
            if response.status_code == 200:
                assert response.json()["results"] == []
                offered.add((model._meta.label, field.name))
    declared = {
        (one.model._meta.label, name)
        for its_admin in admin.site._registry.values()
        for one in (its_admin, *its_admin.inlines)
        for name in one.autocomplete_fields
    }
    assert offered <= declared
    assert ("workshops.Workshop", "teacher") in offered


def test_a_links_secret_is_on_no_page_of_a_confidential_mail():
    store_secrets()
    client = signed_in(onlooker())
    mail = Mail.objects.get()
    for page in ("change", "history"):
        assert SECRET not in client.get(reverse(f"admin:notifications_mail_{page}", args=[mail.pk])).content.decode()
    assert SECRET not in client.get(list_address(Mail)).content.decode()


def test_a_password_hash_cannot_be_guessed_by_its_beginning():
    """The attack as it was made: a row or none, one character after the other."""
    victim = UserFactory()
    client = signed_in(onlooker())
    for model, relation in ((User, ""), (MODELS["account.EmailAddress"], "user__"), (Mail, "user__")):
        for beginning in (victim.password[:5], "no such beginning"):
            response = client.get(list_address(model), {f"{relation}password__startswith": beginning})
            assert is_refused(response), model
