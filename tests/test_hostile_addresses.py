"""No address causes a server error, whatever is put into it: impossible ids, senseless queries, forms of nonsense.

The requests are made from the site's own addresses, lists and forms, so a new address is tried as well. Each meets a few
of the texts, its neighbour the next ones; `make hostile` tries all of them everywhere.
"""

import os
import re
from itertools import islice
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import UserFactory
from tests.market import open_market, signed_in
from tests.test_every_address import patterns

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    # Django's own list links give a time zone; a date without one is read in the site's.
    pytest.mark.filterwarnings("ignore:DateTimeField .* received a naive datetime:RuntimeWarning"),
]

# As written in an address. %ED%A0%80 is half of a surrogate pair, which is not a character.
HOSTILE = [
    "x", "%00", "1%00", "%ED%A0%80", "%FF", "%F0%9F%8E%93", "0", "-1", "1.5", "NaN", "None", "%D9%A1", "1%2F2", "..%2F..",
    "9" * 30, "9" * 5000, "a" * 300, "%27--", "%20", "_00",
]  # fmt: skip
# Texts for queries and forms, as Python strings.
NONSENSE = ["x", "\0", "9" * 30, "0001-01-01", "9999-12-31", "9" * 5000, "-1", "1,\0", "é" * 300, "{", "%"]
# All of dj-stripe's pages are made by one function, so these models stand for the rest.
MODELS = [
    model
    for model in admin.site._registry
    if model._meta.app_label != "djstripe" or model.__name__ in ("Charge", "Event", "SubscriptionSchedule")
]
LABELS = {model._meta.label: model for model in MODELS}
TRIES_ALL = os.environ.get("HOSTILE_TEXTS") == "all"
ORDINARY = ("p", "all", "o", "q", "e", "_popup", "_to_field", "_facets", "_changelist_filters", "unheard_of", "id__in")


def a_few(texts, count, *, turn):
    """So many of the texts, from one further on at each turn: steps of `count` could keep pace with the kinds of page."""
    first = turn % len(texts)
    return islice((*texts[first:], *texts), len(texts) if TRIES_ALL else count)


@pytest.fixture
def market(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path
    return open_market()


def onlooker():
    # In Tokyo, midnight of the first possible day is earlier than the first possible moment in UTC.
    user = UserFactory(is_staff=True, time_zone="Asia/Tokyo")
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return user


def staff_of(kind):
    makers = {
        "superuser": lambda: User.objects.create_superuser("boss@example.org", "correct horse battery"),
        "onlooker": onlooker,
        "without a group": lambda: UserFactory(is_staff=True),
    }
    return makers[kind]()


def quiet(client):
    client.raise_request_exception = False
    return client


def fails(send, address, *args, **options):
    """Whether the request causes a server error, which is then rolled back, so that the next is judged alone."""
    with transaction.atomic():
        response = send(address, *args, **options)
        status = response.status_code
        b"".join(response)  # a file is closed once it has been read
        if status >= 500:
            transaction.set_rollback(True)
    return status >= 500


def filled(route, text):
    return "/" + re.sub(r"[\^$\\]|/Z$", "", re.sub(r"\(\?P<[^>]*>[^)]*\)|<[^>]*>", text, route))


def name_of(model, page):
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


@pytest.mark.parametrize("kind", ["superuser", "onlooker", "without a group"])
def test_impossible_ids_are_no_error_in_the_admin(market, kind):
    client = quiet(signed_in(staff_of(kind)))
    routes = [route for _, route, _ in patterns() if route.startswith("admin/") and re.search("<", route)]
    dj_stripe = [route for route in routes if "/djstripe/" in route]
    kept = [route for route in routes if route not in dj_stripe or re.search("djstripe/(charge|event)/", route)]
    assert len(kept) > 100
    count = 7 if kind == "superuser" else 3
    addresses = [filled(route, text) for turn, route in enumerate(kept) for text in a_few(HOSTILE, count, turn=turn)]
    assert [address for address in addresses if fails(client.get, address)] == []
    posted = [filled(route, text) for route in kept for text in HOSTILE[:4]]
    assert [address for address in posted if fails(client.post, address, {"post": "yes"})] == []


@pytest.mark.parametrize("who", ["guest", "student", "teacher"])
def test_impossible_ids_are_no_error_on_the_site(market, who):
    user = {"student": market.student, "teacher": market.teacher.user}.get(who)
    client = quiet(signed_in(user) if user else Client())
    routes = [route for _, route, _ in patterns() if not route.startswith("admin/") and "<" in route]
    assert len(routes) > 50
    for send, count in ((client.get, 7), (client.post, 3)):
        addresses = [
            filled(route, text) for turn, route in enumerate(routes) for text in a_few(HOSTILE, count, turn=turn)
        ]
        assert [address for address in addresses if fails(send, address)] == []


# The parameters that views read from addresses; the search page's forms read more.
READ = ["page", "q", "next", "session_id", "done", "request", "offer"]
BROWSED = [
    "q", "kind", "subject", "level", "where", "place", "from_date", "to_date", "currency", "min_price", "max_price",
    "language", "teacher", "sort", "page",
]  # fmt: skip


@pytest.mark.parametrize("who", ["student", "teacher"])
def test_senseless_queries_are_no_error_on_the_site(market, who):
    client = quiet(signed_in({"student": market.student, "teacher": market.teacher.user}[who]))
    plain = ["/" + route for _, route, _ in patterns() if not re.search(r"[<(\\^]", route) and "admin/" not in route]
    assert len(plain) > 30
    asked = [f"{address}?{urlencode({name: text})}" for address in plain for name in READ for text in NONSENSE[1:3]]
    assert [address for address in asked if fails(client.get, address)] == []


def test_searches_for_nonsense_are_no_error(market):
    asked = [f"/browse/?{urlencode({name: text})}" for name in BROWSED for text in NONSENSE]
    assert [address for address in asked if fails(quiet(Client()).get, address)] == []


def queries_of(user, model):
    """Every parameter that a list's address may have, alone and with values of no valid type."""
    request = RequestFactory().get("/")
    request.user = user
    shown = admin.site.get_model_admin(model).get_changelist_instance(request)
    names = [name for spec in shown.filter_specs for name in spec.expected_parameters()]
    if shown.date_hierarchy:
        names += [f"{shown.date_hierarchy}__{part}" for part in ("year", "gte")]
        parts = [("year", "2026"), ("year", "1"), ("year", "9999"), ("month", "13"), ("day", "31"), ("day", "x")]
        for year, (part, number) in ((year, part) for year in ("2026", "x", "0", "9998") for part in parts):
            yield urlencode({f"{shown.date_hierarchy}__year": year, f"{shown.date_hierarchy}__{part}": number})
    for turn, name in enumerate((*names, *ORDINARY)):
        yield from (urlencode({name: text}) for text in a_few(NONSENSE[:6], 2, turn=turn))


@pytest.mark.parametrize("label", LABELS)
def test_senseless_queries_are_no_error_in_the_admins_lists(market, label):
    model, user = LABELS[label], onlooker()
    client = quiet(signed_in(user))
    addresses = [f"{reverse(name_of(model, 'changelist'))}?{query}" for query in queries_of(user, model)]
    assert [address for address in addresses if fails(client.get, address)] == []


@pytest.mark.parametrize("label", LABELS)
def test_forms_are_not_filled_in_by_their_address_and_refuse_nonsense(market, label):
    model, client = LABELS[label], quiet(signed_in(staff_of("superuser")))
    row = model._base_manager.first()
    pages = [
        reverse(name_of(model, "add")),
        *([reverse(name_of(model, "change"), args=[quote(str(row.pk))])] if row else []),
    ]
    for page in pages:
        response = client.get(page)
        assert response.status_code in (200, 403), page
        if response.status_code == 403:
            continue
        names = names_of_fields(response.context)
        for text in a_few(NONSENSE, 4, turn=list(LABELS).index(label)):
            values = dict.fromkeys(names, text)
            assert not fails(client.get, f"{page}?{urlencode(values | {'_to_field': text, '_popup': text})}"), (
                page,
                text,
            )
            assert not fails(client.post, page, values), (page, text)
            assert not fails(client.post, page, values | managed(response.context)), (page, text)


def names_of_fields(context):
    """The fields of a form and of one row in each of its inlines, with dates and times in two boxes each."""
    names = list(context["adminform"].form.fields)
    for formset in (inline.formset for inline in context["inline_admin_formsets"]):
        names += [f"{formset.prefix}-0-{name}" for name in [*formset.form.base_fields, "id", "DELETE"]]
        names += [f"{formset.prefix}-{name}" for name in ("TOTAL_FORMS", "INITIAL_FORMS")]
    return [part for name in names for part in (name, f"{name}_0", f"{name}_1")]


def managed(context):
    """The management form's values for one row in each inline, so that the rows are read."""
    prefixes = [inline.formset.prefix for inline in context["inline_admin_formsets"]]
    return {f"{prefix}-{name}": "1" for prefix in prefixes for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


@pytest.mark.parametrize("label", LABELS)
def test_actions_on_impossible_rows_are_no_error(market, label):
    model, client = LABELS[label], quiet(signed_in(staff_of("superuser")))
    address = reverse(name_of(model, "changelist"))
    request = client.get(address).wsgi_request
    actions = [*admin.site.get_model_admin(model).get_actions(request), "_cancel", "", "\0"]
    for action in actions:
        for text in NONSENSE[:3]:
            posted = {"action": action, "_selected_action": text, "select_across": text, "index": text}
            assert not fails(client.post, address, posted), (action, text)


def test_the_admins_own_pages_take_nonsense(market):
    client = quiet(signed_in(staff_of("superuser")))
    asked = [
        f"{reverse('admin:search')}?{urlencode({'s': 'a', name: text})}"
        for name in ("s", "page", "extended")
        for text in NONSENSE
    ]
    complete = {"app_label": "workshops", "model_name": "workshop", "field_name": "teacher", "term": "a"}
    asked += [
        f"{reverse('admin:autocomplete')}?{urlencode(complete | {name: text})}"
        for name in (*complete, "page")
        for text in NONSENSE
    ]
    assert [address for address in asked if fails(client.get, address)] == []


def test_a_cookie_with_nul_counts_as_none(market):
    client = quiet(Client(headers={"cookie": r'sessionid="\000bcdefghijklmnop"; currency="\000"; messages="\000"'}))
    for address in ("/", "/browse/", "/my/orders/", "/cart/", "/admin/"):
        assert not fails(client.get, address), address


@pytest.mark.parametrize(
    "name", ["a" * 300, "a/" * 3000, "%00", "%ED%A0%80", "..%2F..%2Fmanage.py", "x" * 300 + ".jpg"]
)
@pytest.mark.parametrize("folder", ["media", "static"])
def test_impossible_files_are_not_found(folder, name):
    assert quiet(Client()).get(f"/{folder}/{name}").status_code in (400, 404)


def test_an_objects_page_is_found_by_staff_who_may_look_at_it(market):
    kind = ContentType.objects.get_for_model(market.workshop).pk
    address = reverse("admin:view_on_site", args=[kind, market.workshop.pk])
    assert signed_in(onlooker()).get(address).status_code == 302
    assert signed_in(staff_of("without a group")).get(address).status_code == 404
