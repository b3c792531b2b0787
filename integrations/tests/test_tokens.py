"""Tokens sign their owner in, do no more than they may, and stop at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from rest_framework.permissions import AllowAny

from accounts.tests.factories import PASSWORD, TeacherFactory, UserFactory
from accounts.tests.signing_in import sign_in
from integrations.endpoints import Endpoint
from integrations.models import ApiToken
from integrations.scopes import Scope
from integrations.templatetags.documentation import with_code
from integrations.tests.factories import program_of, token_and_secret, token_of
from integrations.tokens import TokenRefused, create_token, revoke_token
from notifications.models import Mail

pytestmark = pytest.mark.django_db
BALANCE = "/api/payments/balance"
HISTORY = "/api/payments/history"
LIST, NEW = "/my/tokens/", "/my/tokens/new/"


def ask(secret, address=BALANCE, **options):
    return Client(**options).get(address, headers={"authorization": f"Bearer {secret}"})


# --- Signing in


def test_a_token_signs_its_owner_in():
    teacher = TeacherFactory()
    token, secret = token_and_secret(teacher.user, Scope.EARNINGS_READ)
    assert ask(secret).status_code == 200
    token.refresh_from_db()
    assert token.last_used_at is not None


def test_only_a_hash_is_stored():
    _, secret = token_and_secret(UserFactory())
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE %s", [f"%{secret[12:]}%"])
            assert cursor.fetchone() == (0,), table


@pytest.mark.parametrize(
    "end",
    [
        revoke_token,
        lambda token: ApiToken.objects.update(
            created_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(seconds=1)
        ),
        lambda token: type(token.user).objects.update(is_active=False),
        lambda token: token.delete(),
    ],
)
def test_a_token_that_ended_is_refused(end):
    token, secret = token_and_secret(TeacherFactory().user)
    assert ask(secret).status_code == 200
    end(token)
    answer = ask(secret)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:lectern:problem:not-signed-in")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "Bearer lct_x y", "bearer " + "é" * 44, "Bearer " + "x" * 44]
)
def test_what_is_no_token_is_refused(header):
    answer = Client().get("/api/payments/test-commission?amount=1", headers={"authorization": header})
    assert answer.status_code == 401


def test_a_wrong_token_is_refused_beside_a_session():
    client = Client()
    client.force_login(TeacherFactory().user)
    assert client.get(BALANCE, headers={"authorization": f"Bearer lct_{'x' * 40}"}).status_code == 401
    assert client.get(BALANCE).status_code == 200


def test_a_token_opens_no_page():
    """Only the API knows tokens: not the pages, and above all not the admin."""
    _, secret = token_and_secret(UserFactory(is_staff=True, is_superuser=True))
    for address in ("/my/orders/", "/my/tokens/", "/admin/"):
        assert ask(secret, address).status_code == 302


# --- Scopes


def test_a_token_without_the_scope_is_told_which():
    client = program_of(TeacherFactory().user, Scope.LESSONS_READ)
    answer = client.get(BALANCE)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:lectern:problem:insufficient-scope")
    assert answer.json()["scope"] == "earnings:read"
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="earnings:read"'


def test_the_history_of_each_role_has_its_scope():
    teacher = TeacherFactory()
    earnings = program_of(teacher.user, Scope.EARNINGS_READ, name="Books")
    purchases = program_of(teacher.user, Scope.PURCHASES_READ, name="Shop")
    statuses = [
        client.get(HISTORY, {"role": role}).status_code
        for client in (earnings, purchases)
        for role in ("teacher", "student")
    ]
    assert statuses == [200, 403, 403, 200]


def endpoints(resolver=None):
    for pattern in (resolver or get_resolver()).url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from endpoints(pattern)
        elif issubclass(getattr(pattern.callback, "view_class", object), Endpoint):
            yield pattern.callback.view_class


def test_every_endpoint_names_a_scope_for_each_method_or_is_open_to_everyone():
    views = set(endpoints())
    assert len(views) >= 4
    for view in views:
        methods = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"OPTIONS", "HEAD"}
        if view.decides_scope or AllowAny in view.permission_classes:
            continue
        assert set(view.scopes) == methods, view


def test_the_rest_of_the_limit_is_in_every_answer():
    client = program_of(TeacherFactory().user)
    answers = [client.get(BALANCE) for _ in range(2)]
    assert [answer.headers["RateLimit-Policy"] for answer in answers] == ['"user";q=300;w=60'] * 2
    left = [re.fullmatch(r'"user";r=(\d+);t=(\d+)', answer.headers["RateLimit"]).groups() for answer in answers]
    assert [int(rest) for rest, _ in left] == [299, 298]
    assert all(0 < int(seconds) <= 60 for _, seconds in left)


# --- Making and revoking


def test_an_address_must_be_verified_first():
    user = UserFactory()
    EmailAddress.objects.filter(user=user).delete()
    with pytest.raises(TokenRefused, match="verify"):
        create_token(user=user, name="x", scopes=[Scope.LESSONS_READ], lifetime=timedelta(days=1))


def test_a_name_is_free_again_after_its_token_was_revoked():
    user = UserFactory()
    token = token_of(user)
    with pytest.raises(TokenRefused, match="name"):
        token_of(user)
    revoke_token(token)
    token_of(user)


def test_the_number_of_tokens_is_limited():
    user = UserFactory()
    for number in range(20):
        token_of(user, name=str(number))
    with pytest.raises(TokenRefused, match="20"):
        token_of(user, name="one more")


@pytest.mark.django_db(transaction=True)
def test_tokens_made_at_once_are_limited_too():
    user = UserFactory()
    for number in range(19):
        token_of(user, name=str(number))

    def make(number):
        try:
            token_of(user, name=f"late {number}")
        except TokenRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(make, range(5))) == 1


@pytest.mark.parametrize(
    "fields", [{"scopes": []}, {"scopes": ["all"]}, {"expires_at": timezone.now() - timedelta(days=1)}]
)
def test_the_database_refuses_senseless_tokens(fields):
    token_of(UserFactory())
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.update(**fields)


def test_the_owner_is_mailed():
    user = UserFactory()
    token_of(user, Scope.PAYOUTS_WRITE, name="Books <b>")
    mail = Mail.objects.get(user=user)
    assert mail.context["name"] == "Books <b>"


# --- The pages


@pytest.fixture
def owner():
    user = UserFactory()
    client = Client()
    sign_in(client, user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def form(**changes):
    return {"name": "Website", "scopes": ["purchases:read", "lessons:read"], "days": "90", **changes}


def test_a_token_is_made_and_shown_once(owner):
    page = owner.post(NEW, form())
    assert page.status_code == 200
    (secret,) = re.findall(r'value="(lct_[\w-]{40})"', page.content.decode())
    assert "no-store" in page.headers["Cache-Control"]
    token = ApiToken.objects.get()
    assert token.scopes == ["lessons:read", "purchases:read"]
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    assert ask(secret, HISTORY).status_code == 200
    listed = owner.get(LIST).content.decode()
    assert secret not in listed
    assert secret[:12] in listed


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a\u202eb"},
        {"name": "x" * 61},
        {"scopes": []},
        {"scopes": ["all"]},
        {"days": "9999"},
        {"days": ""},
    ],
)
def test_a_form_that_is_wrong_is_shown_again(owner, changes):
    assert owner.post(NEW, form(**changes)).status_code == 422
    assert not ApiToken.objects.exists()


def test_the_password_is_asked_for_again():
    client = Client()
    sign_in(client, UserFactory())
    answer = client.post(NEW, form())
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, reverse("account_reauthenticate"))
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_after_asking(owner):
    owner.post(NEW, form())
    token = ApiToken.objects.get()
    address = reverse("integrations:token_revoke", args=[token.pk])
    assert "Website" in owner.get(address).content.decode()
    assert ApiToken.objects.get().revoked_at is None
    assert owner.post(address).status_code == 302
    assert ApiToken.objects.get().revoked_at is not None
    assert owner.post(address).status_code == 404
    assert "You have no tokens" in owner.get(LIST).content.decode()


def test_tokens_of_others_are_not_found(owner):
    token = token_of(UserFactory())
    address = reverse("integrations:token_revoke", args=[token.pk])
    assert (owner.get(address).status_code, owner.post(address).status_code) == (404, 404)
    assert token.prefix not in owner.get(LIST).content.decode()


def test_the_documentation_names_every_operation():
    page = Client().get(reverse("api_documentation"))
    text = page.content.decode()
    assert page.status_code == 200
    for path in ("/api/payments/balance", "/api/payments/verify-status/{session_id}", "total_earned"):
        assert path in text
    assert "<script" not in text.split("<main", 1)[1]


def test_the_documentation_shows_names_as_code_and_nothing_else_as_markup():
    page = Client().get(reverse("api_documentation")).content.decode()
    assert "<code>digest</code> of the cart" in page
    assert "`" not in page.partition("<main")[2]
    assert with_code("`<b>` & c") == "<code>&lt;b&gt;</code> &amp; c"
