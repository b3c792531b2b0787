"""Every address of the site as each kind of user: other people's pages are not found, and viewing changes nothing.

The lists below name each address once. A new one fails here until a list says who it is for.
"""

import re

import pytest
from django.apps import apps
from django.conf import settings as site_settings
from django.contrib import admin
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.addresses import record_verified_address
from accounts.models import User
from accounts.roles import ROLES, may, roles
from accounts.tests.factories import UserFactory
from courses.models import Enrolment
from tests.market import credit_note_of, open_market_with_gift, signed_in

pytestmark = pytest.mark.django_db

# The same view under two addresses; Stripe sends no CSRF token and signs instead.
WEBHOOKS = {"payments:webhook", "payments:webhook_of_integrators"}
# The same views under two addresses. Each checks the token itself where a session is used.
API = [f"payments-api:{name}" for name in [
    "test_commission", "test_commission_other", "verify_status", "verify_status_other", "verify_status_short",
    "balance", "balance_other", "v1_balance", "history", "history_other", "v1_history",
    "create_checkout_session", "create_checkout_session_other", "checkout_sessions", "checkout_session",
    "handle_failure", "handle_failure_other", "payment_methods", "payment_methods_other",
    "process_payment", "process_payment_other", "v1_payments", "v1_payment_methods",
    "payment_method", "payment_method_default",
    "cart", "cart_lines", "cart_line", "orders", "order", "order_cancel", "order_receipt", "line_cancellation",
    "payouts", "payout", "gift_redeem", "validate_discount", "validate_discount_other",
]]  # fmt: skip
# Each under one address.
OPEN_API = [f"catalogue-api:{name}" for name in ("subjects", "teachers", "teacher", "listings", "listing")]
OPEN_API += ["subscriptions-api:plans"]
OWN_API = [
    "bookings-api:requests",
    "bookings-api:lessons",
    "webhooks-api:endpoints",
    "workshops-api:registrations",
    "courses-api:enrolments",
    "bookings-api:desk_requests",
    "workshops-api:participants",
    "payments-api:sales",
]
SUBSCRIPTIONS_API = [
    f"subscriptions-api:{name}"
    for name in (
        "subscriptions",
        "subscription",
        "create_subscription",
        "create_subscription_other",
        "cancel_subscription",
        "cancel_subscription_other",
    )
]
STUDENTS_API = [
    "bookings-api:request",
    "bookings-api:request_withdraw",
    "workshops-api:registration",
    "courses-api:enrolment",
    "courses-api:lesson_done",
    "bookings-api:lesson_use_credit",
    "webhooks-api:endpoint",
    "webhooks-api:endpoint_secret",
    "webhooks-api:endpoint_test",
    "webhooks-api:endpoint_replay",
    "webhooks-api:endpoint_deliveries",
    "webhooks-api:delivery",
    "webhooks-api:delivery_replay",
]
SHARED_API = ["bookings-api:lesson"]
TEACHERS_API = [
    "bookings-api:desk_request",
    "bookings-api:desk_request_accept",
    "bookings-api:desk_request_decline",
    "bookings-api:lesson_withdraw",
    "bookings-api:lesson_cancel",
]
API += [*OPEN_API, *SUBSCRIPTIONS_API, *OWN_API, *STUDENTS_API, *SHARED_API, *TEACHERS_API]
# Open to everyone.
PUBLIC = [
    "catalogue:home",
    "catalogue:browse",
    "catalogue:currency",
    "catalogue:teacher",
    "bookings:offer_detail",
    "workshops:detail",
    "workshops:add_to_cart",
    "workshops:register",
    "courses:detail",
    "courses:put_in_cart",
    "courses:preview",
    "courses:preview_answers",
    "payments:cart",
    "payments:cart_add",
    "payments:cart_code",
    "payments:continue",
    "payments:checkout",
    "payments:gift_give",
    "payments:gift_redeem",
    "payments-api:test_commission",
    "payments-api:test_commission_other",
    "payments-api:validate_discount",
    "payments-api:validate_discount_other",
    "subscriptions:plans",
    "subscriptions:begin",
    "subscriptions:earnings_rules",
    "pages:page",
    "pages:version",
    *OPEN_API,
    *WEBHOOKS,
]
# About the person who asks; the address names no person or object.
OWN = [
    "accounts:profile",
    "accounts:teacher_apply",
    "accounts:markdown_preview",
    "integrations:tokens",
    "integrations:token_new",
    "webhooks:endpoints",
    "webhooks:endpoint_new",
    "bookings:request_create",
    "bookings:request_any",
    "bookings:requests_mine",
    "workshops:mine",
    "courses:mine",
    *SUBSCRIPTIONS_API,
    "subscriptions:mine",
    "subscriptions:returned",
    "subscriptions:changes",
    "subscriptions:change",
    "subscriptions:cancel",
    "subscriptions:resume",
    "subscriptions:portal",
    "payments:orders",
    "payments:methods",
    "payments:method_add",
    "payments:method_added",
    "payments-api:balance",
    "payments-api:balance_other",
    "payments-api:v1_balance",
    "payments-api:history",
    "payments-api:history_other",
    "payments-api:v1_history",
    "payments-api:create_checkout_session",
    "payments-api:create_checkout_session_other",
    "payments-api:checkout_sessions",
    "payments-api:handle_failure",
    "payments-api:handle_failure_other",
    "payments-api:payment_methods",
    "payments-api:payment_methods_other",
    "payments-api:v1_payment_methods",
    "payments-api:process_payment",
    "payments-api:process_payment_other",
    "payments-api:v1_payments",
    "payments-api:cart",
    "payments-api:cart_lines",
    "payments-api:orders",
    "payments-api:payouts",
    "payments-api:gift_redeem",
    *OWN_API,
]
# About the teacher who asks.
OWN_DESK = [
    "accounts:teacher_profile",
    "catalogue:expertise_edit",
    "payments:sales",
    "payments:payouts",
    "payments:discounts",
    "payments:discount_download",
    "payments:earnings",
    "payments:statement",
    "bookings:desk",
    "bookings:availability",
    "bookings:credit_terms",
    "bookings:offers_mine",
    "bookings:offer_create",
    "workshops:desk",
    "workshops:create",
    "courses:desk",
    "courses:course_create",
]
# Act for the teacher who asks, and lead on to another page.
OWN_DESK_ACTIONS = [
    "payments:payout_request",
    "payments:payout_schedule",
    "payments:account_begin",
    "payments:account_renew",
    "payments:account_return",
]
# Belong to one person: the student who owns everything in the market.
STUDENTS = [
    "payments:cart_line",
    "payments:cart_code_remove",
    "payments:return",
    "payments:order",
    "payments:order_status",
    "payments:receipt",
    "payments:credit_note",
    "payments:documents",
    "payments:order_cancel",
    "payments:line_cancel",
    "payments:method_remove",
    "payments:method_default",
    "payments:gift",
    "payments:gift_pdf",
    "integrations:token_revoke",
    "webhooks:endpoint",
    "webhooks:endpoint_edit",
    "webhooks:endpoint_switch",
    "webhooks:endpoint_test",
    "webhooks:endpoint_delete",
    "webhooks:endpoint_replay",
    "webhooks:secret_rotate",
    "webhooks:delivery",
    "webhooks:delivery_replay",
    "payments-api:verify_status",
    "payments-api:verify_status_other",
    "payments-api:verify_status_short",
    "payments-api:checkout_session",
    "payments-api:cart_line",
    "payments-api:order",
    "payments-api:order_cancel",
    "payments-api:order_receipt",
    "payments-api:line_cancellation",
    "payments-api:payment_method",
    "payments-api:payment_method_default",
    "bookings:request_detail",
    "bookings:request_buy",
    "bookings:request_withdraw",
    "bookings:lesson_use_credit",
    "bookings:lesson_cancel_credit",
    "bookings:lesson_pay",
    "workshops:ticket",
    "workshops:calendar",
    "workshops:ticket_rename",
    *STUDENTS_API,
]
# Belong to that student and to their teacher.
SHARED = [
    "bookings:lesson_detail",
    "bookings:lesson_calendar",
    "courses:open",
    "courses:learn",
    "courses:lesson",
    "courses:lesson_answers",
    "courses:lesson_done",
    "courses:lesson_file",
    *SHARED_API,
]
# Belong to the teacher who sells everything in the market.
TEACHERS = [
    *TEACHERS_API,
    "catalogue:expertise_remove",
    "payments:payout",
    "payments:discount_end",
    "payments-api:payout",
    "bookings:request_answer",
    "bookings:request_decline",
    "bookings:proposal_withdraw",
    "bookings:lesson_meeting",
    "bookings:lesson_cancel",
    "bookings:offer_edit",
    "bookings:offer_publish",
    "bookings:offer_withdraw",
    "workshops:edit",
    "workshops:publish",
    "workshops:withdraw",
    "workshops:cancel",
    "workshops:participants",
    "workshops:ticket_check",
    "courses:course_outline",
    "courses:course_edit",
    "courses:course_publish",
    "courses:course_withdraw",
    "courses:course_close",
    "courses:module_add",
    "courses:module_edit",
    "courses:module_move",
    "courses:module_delete",
    "courses:lesson_create",
    "courses:lesson_edit",
    "courses:lesson_move",
    "courses:lesson_delete",
    "courses:question_add",
    "courses:question_delete",
]
OURS = [*PUBLIC, *OWN, *OWN_DESK, *OWN_DESK_ACTIONS, *STUDENTS, *SHARED, *TEACHERS]
# Written when pages are viewed; not part of the site's data.
NOT_STATE = {"sessions.session", "admin.logentry"}


def patterns(resolver=None, stem="", namespace=""):
    """Every URL pattern of the site with its full route and its name."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = stem + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, route, pattern.namespace or namespace)
        else:
            yield pattern, route, f"{namespace}:{pattern.name}" if namespace else pattern.name


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    """The API counts refused requests as well, and there are more addresses than a guest may ask for in a minute."""
    limits = {"anon": "100000/s", "user": "100000/s"}
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", limits)


@pytest.fixture
def market(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path
    (tmp_path / "courses" / "files").mkdir(parents=True)
    market = open_market_with_gift()
    market.credit_note = credit_note_of(market.payment)
    (tmp_path / market.file.file.name).write_bytes(b"%PDF-1.7")
    return market


def address_of(name, market):
    """The address with the market's objects in its variable parts."""
    if name == "payments:statement":
        return f"/teach/earnings/statement-{timezone.now():%Y}-GBP.csv"
    if name == "payments:credit_note":
        return reverse(name, args=[market.order.number, market.credit_note.pk])
    app = name.partition(":")[0]
    known = {
        "line_id": market.cart_line.pk,
        "code_id": market.discount_code.pk,
        "number": market.order.number,
        "code": market.ticket.code,
        "expertise_id": market.expertise.pk,
        "request_id": market.open_request.pk,
        "lesson_id": {"bookings": market.lesson, "courses": market.quiz}.get(app, market.lesson).pk,
        "offer_id": market.offer.pk,
        "course_id": market.course.pk,
        "module_id": market.module.pk,
        "question_id": market.question.pk,
        "kind": "text",
        "enrolment_id": Enrolment.objects.get(student=market.student).pk,
        "reference": market.payout.reference,
        "session_id": market.payment.stripe_session_id,
        "token_id": market.token.pk,
        "endpoint_id": market.webhook_endpoint.pk,
        "delivery_id": market.webhook_endpoint.deliveries.get().pk,
        "price_id": 1,
        "method_id": market.card.stripe_payment_method_id,
        "slug": {"workshops": market.workshop, "courses": market.course}.get(app, market.teacher).slug,
    }
    known |= {
        "payments-api:line_cancellation": {"line_id": market.order.lines.get(domain="workshops").pk},
        "payments:line_cancel": {"line_id": market.order.lines.get(domain="workshops").pk},
        "catalogue-api:listing": {"domain": "workshops", "reference": str(market.workshop.pk)},
        "courses-api:lesson_done": {"lesson_id": market.quiz.pk},
        "bookings:offer_detail": {"slug": market.offer.slug},
        "bookings:proposal_withdraw": {"lesson_id": market.proposed.pk},
        "courses:lesson_file": {"lesson_id": market.file.pk},
        "payments:gift": {"reference": market.gift.reference},
        "payments:gift_pdf": {"reference": market.gift.reference},
        "payments:gift_give": {"domain": "workshops", "reference": str(market.workshop.pk)},
        "pages:page": {"kind": "terms"},
        "pages:version": {"kind": "terms", "number": "1"},
    }.get(name, {})
    [parts] = {tuple(pattern.pattern.converters) for pattern, _, its_name in patterns() if its_name == name}
    address = reverse(name, kwargs={part: known[part] for part in parts})
    return f"{address}?session_id={market.payment.stripe_session_id}" if name == "payments:return" else address


def everything_stored():
    """All rows of all tables but sessions: they must not change when a page is only viewed, or refused."""
    return {
        model._meta.label_lower: [
            # The time of the last sign-in changes when a test signs a user in.
            {name: value for name, value in row.items() if name != "last_login"}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in apps.get_models()
        if model._meta.managed and model._meta.label_lower not in NOT_STATE and model._meta.app_label != "djstripe"
    }


def assert_nothing_changed(before):
    after = everything_stored()
    assert [label for label in before if before[label] != after[label]] == []


def strangers_to(market):
    """People with an account who neither bought nor sell anything here."""
    people = {"another student": market.other_student, "another teacher": market.other_teacher.user}
    return people | {f"{group} staff": user for group, user in market.staff.items()}


def test_every_address_is_named_once():
    labels = {config.label for config in apps.get_app_configs()}
    ours = {name.partition(":")[0] for name in OURS}
    assert {namespace.removesuffix("-api") for namespace in ours} <= labels
    known = sorted(name for _, _, name in patterns() if name and name.partition(":")[0] in ours)
    assert sorted(OURS) == known


STRANGERS = ["another student", "another teacher", *(f"{group} staff" for group in ROLES)]


def as_program(name):
    """What a program sends besides the address. Otherwise the API refuses a request before it looks for anything."""
    if name not in API:
        return {}
    return {"content_type": "application/json", "headers": {"Idempotency-Key": "a-key"}}


@pytest.mark.parametrize("role", STRANGERS)
def test_pages_of_other_people_are_a_404(market, role):
    client = signed_in(strangers_to(market)[role])
    before = everything_stored()
    answered = {}
    for name in [*STUDENTS, *SHARED, *TEACHERS]:
        for send in (client.get, client.post):
            response = send(address_of(name, market), **as_program(name))
            # People who do not teach are sent to apply, from any address of the teacher's desk.
            is_sent_to_apply = response.headers.get("Location") == reverse("accounts:teacher_apply")
            if response.status_code not in (404, 405) and not (is_sent_to_apply and name in TEACHERS):
                answered[name] = response.status_code
            assert not (is_sent_to_apply and role == "another teacher")
    assert answered == {}
    assert_nothing_changed(before)


def test_guests_are_asked_to_sign_in_before_they_see_anything(market):
    before = everything_stored()
    for name in [*STUDENTS, *SHARED, *TEACHERS, *OWN, *OWN_DESK, *OWN_DESK_ACTIONS]:
        for send in (Client().get, Client().post):
            response = send(address_of(name, market))
            is_sent_to_sign_in = response.headers.get("Location", "").startswith(reverse("account_login"))
            refused = (401, 405) if name in API else (404, 405)
            assert response.status_code in refused or is_sent_to_sign_in, (name, response.status_code)
    assert_nothing_changed(before)


def test_students_and_teachers_find_what_is_theirs(market):
    """Otherwise the 404 for all others would prove nothing."""
    for user, names in ((market.student, [*STUDENTS, *SHARED]), (market.teacher.user, [*SHARED, *TEACHERS])):
        client = signed_in(user)
        for name in names:
            response = client.get(address_of(name, market))
            b"".join(response)  # a file is closed once it has been read
            assert response.status_code in (200, 302, 405), (name, response.status_code)
            turned_away = (reverse("account_login"), reverse("accounts:teacher_apply"))
            assert not response.headers.get("Location", "").startswith(turned_away), name


def test_what_a_student_bought_is_not_its_teachers_to_open(market):
    client = signed_in(market.teacher.user)
    for name in STUDENTS:
        for send in (client.get, client.post):
            assert send(address_of(name, market), **as_program(name)).status_code in (404, 405), name


@pytest.mark.parametrize("role", STRANGERS)
def test_personal_pages_show_nothing_of_other_people(market, role):
    client = signed_in(strangers_to(market)[role])
    theirs = [market.student.full_name, market.student.email, market.order.number, market.ticket.code]
    for name in [*OWN, *OWN_DESK]:
        response = client.get(address_of(name, market))
        assert [secret for secret in theirs if secret in response.content.decode()] == [], name
        if name in OWN_DESK:
            assert response.status_code == (200 if role == "another teacher" else 302), name


def test_only_teachers_act_at_a_teachers_desk(market):
    client = signed_in(market.other_student)
    before = everything_stored()
    for name in OWN_DESK_ACTIONS:
        for send in (client.get, client.post):
            response = send(address_of(name, market))
            is_sent_to_apply = response.headers.get("Location") == reverse("accounts:teacher_apply")
            assert is_sent_to_apply or response.status_code == 405, (name, response.status_code)
    assert_nothing_changed(before)


def test_what_is_not_on_sale_is_its_teachers_alone(market):
    seller = signed_in(market.teacher.user)
    pages = [address_of(name, market) for name in ("bookings:offer_detail", "workshops:detail", "courses:detail")]
    for name in ("bookings:offer_withdraw", "workshops:withdraw", "courses:course_withdraw"):
        seller.post(address_of(name, market))
    assert [seller.get(page).status_code for page in pages] == [200] * 3
    for client in [Client(), *map(signed_in, strangers_to(market).values())]:
        assert [client.get(page).status_code for page in pages] == [404] * 3


# --- The admin: by the table of roles, page by page


def permission(action, model):
    return f"{model._meta.app_label}.{action}_{model._meta.model_name}"


@pytest.mark.parametrize("group", ROLES)
@pytest.mark.slow
def test_staff_see_and_change_in_the_admin_what_their_group_may(market, group):
    client = signed_in(market.staff[group])
    client.raise_request_exception = False
    role = roles()[group]
    before = everything_stored()
    for model in admin.site._registry:
        stem = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        may_change, may_add = may(role, permission("change", model)), may(role, permission("add", model))
        may_see = may(role, permission("view", model)) or may_change
        pages = [(reverse(f"{stem}_changelist"), may_see)]
        if row := model._base_manager.first():
            pages += [(reverse(f"{stem}_{page}", args=[row.pk]), may_see) for page in ("change", "history")]
        for address, is_allowed in pages:
            status = client.get(address).status_code
            assert status == 200 if is_allowed else status == 403, (address, status)
        if row and not may_change:
            assert client.post(reverse(f"{stem}_change", args=[row.pk]), {}).status_code == 403
        if not may_add:
            assert client.get(reverse(f"{stem}_add")).status_code == 403
            assert client.post(reverse(f"{stem}_add"), {}).status_code == 403
        if row and not may(role, permission("delete", model)):
            assert client.post(reverse(f"{stem}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert_nothing_changed(before)


# What staff have before any group says what they may do: the way in and out, and words for scripts. No rows of anything.
OF_ALL_STAFF = {"admin:index", "admin:jsi18n", "admin:login", "admin:logout", "admin:search"}


@pytest.mark.slow
def test_staff_without_a_role_open_nothing_but_the_index(market):
    user, client = UserFactory(is_staff=True), Client(raise_request_exception=False)
    before = everything_stored()
    labels = {model._meta.app_label for model in admin.site._registry}
    opened = {}
    for address in [*addresses_of_the_admin(), *(reverse("admin:app_list", args=[label]) for label in labels)]:
        for send in (client.get, client.post):
            # Anew each time: one of them signs out.
            client.force_login(user)
            answer = send(address, follow=True)
            assert answer.status_code < 500, address
            if answer.status_code < 400:
                opened[answer.request["PATH_INFO"]] = answer.content.decode()
    assert {address for address in opened if address.startswith("/admin/")} == {reverse(name) for name in OF_ALL_STAFF}
    assert_nothing_changed(before)
    client.force_login(user)
    shown = "".join(opened.values()) + client.get(reverse("admin:search"), {"s": "a"}).content.decode()
    rows = [
        market.student.full_name,
        market.student.email,
        market.order.number,
        market.ticket.code,
        market.course.title,
    ]
    assert [row for row in rows if row in shown] == []
    names = [f"{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
    assert [name for name in names if name in shown] == []


@pytest.mark.slow
def test_only_staff_open_the_admin(market):
    """The tests of the staff gate itself try guests at each address."""
    people = [signed_in(market.teacher.user), signed_in(market.student)]
    for number, address in enumerate(addresses_of_the_admin()):
        assert people[number % 2].get(address).status_code == 403, address
        assert people[number % 2].post(address).status_code == 403, address


# --- Viewing changes nothing, and nothing is changed without a CSRF token


def as_address(route):
    """A route with a value in place of each of its parts; any row will do."""
    plain = re.sub(r"\(\?P<[^>]*>[^)]*\)|<[^>]*>", "1", route)
    return "/" + re.sub(r"[\^$?\\]|/Z$", "", plain)


def addresses_outside_the_admin(market):
    """Our addresses with existing objects, and those of the libraries."""
    others = [as_address(route) for _, route, name in patterns() if name not in OURS and not route.startswith("admin/")]
    return [*(address_of(name, market) for name in OURS), *others]


def addresses_of_the_admin():
    """Every list and form, with a row that exists where there is one."""
    pages = {as_address(route) for _, route, _ in patterns() if route.startswith("admin/")}
    for model in admin.site._registry:
        if row := model._base_manager.first():
            stem = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            pages |= {reverse(f"{stem}_{page}", args=[row.pk]) for page in ("change", "history", "delete")}
    return sorted(pages)


def addresses_of_the_api(market):
    return [reverse("api_schema"), *(address_of(name, market) for name in API)]


@pytest.fixture
def people(market):
    """Every kind of user, a superuser included, with verified addresses."""
    boss = User.objects.create_superuser("boss@example.org", "correct horse battery")
    people = {"student": market.student, "teacher": market.teacher.user, "superuser": boss}
    record_verified_address(boss)
    return people


ROLES_OF_PEOPLE = ["guest", "student", "teacher", "superuser"]


@pytest.mark.parametrize("role", ROLES_OF_PEOPLE)
@pytest.mark.slow
def test_looking_at_any_address_changes_nothing(market, people, role):
    client = Client() if role == "guest" else signed_in(people[role])
    before = everything_stored()
    for address in addresses_outside_the_admin(market):
        for send in (client.options, client.get):
            response = send(address)
            b"".join(response)  # a file is closed once it has been read
            assert response.status_code < 500, address
    if role == "superuser":
        client.raise_request_exception = False
        for address in addresses_of_the_admin():
            assert client.get(address).status_code < 500, address
    assert_nothing_changed(before)


@pytest.mark.parametrize("role", ROLES_OF_PEOPLE)
@pytest.mark.slow
def test_nothing_is_taken_without_a_token(market, people, role):
    client = Client(enforce_csrf_checks=True)
    if role != "guest":
        client.force_login(people[role])
    before = everything_stored()
    signed, of_the_api = {*map(reverse, WEBHOOKS)}, {*addresses_of_the_api(market)}
    for address in addresses_outside_the_admin(market):
        for send in (client.post, client.put, client.patch, client.delete):
            # Only the webhook needs no token: its signature protects it. The API reads JSON alone, and guests lack a session.
            expected = (403,)
            if address in signed:
                expected = (400, 405)
            elif address in of_the_api:
                expected = (401, 405, 415) if role == "guest" else (403, 415)
            assert send(address).status_code in expected, address
    if role == "superuser":
        for address in addresses_of_the_admin():
            assert client.post(address).status_code == 403, address
    assert_nothing_changed(before)


def test_only_the_webhook_goes_without_a_token():
    exempt = {name for pattern, _, name in patterns() if getattr(pattern.callback, "csrf_exempt", False)}
    # REST framework takes its views out, to check the token where a session is used.
    assert exempt == {*WEBHOOKS, *API, "api_schema"}
    assert "django.middleware.csrf.CsrfViewMiddleware" in site_settings.MIDDLEWARE
