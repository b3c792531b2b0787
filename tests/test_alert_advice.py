"""Each alert that code can raise says what staff do about it, and links to a page that opens."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

from accounts.models import User
from demo.stack import CHECKOUT
from notifications.advice import _advice, advice_on
from notifications.alerts import raise_alert
from notifications.models import Alert
from tests.market import signed_in

# Calls whose key is made elsewhere: where, and the kind.
COMPUTED = {
    "bookings/assignment.py": {"lesson-request"},
    "payments/own_account.py": {"stripe-key-of-another-account"},
    "payments/reconciliation/runs.py": {"reconciliation"},
    "payments/disputes/effects.py": {"dispute-to-answer"},
    "payments/disputes/fraud_warnings.py": {"fraud-warning"},
    "payments/disputes/reminding.py": {"dispute-due-soon"},
    "payments/refunds/recording.py": {"refund-waits-for-balance"},
    "payments/payouts/follow_up.py": {"account-not-followed-up"},
    "payments/payouts/schedules.py": {"payouts-waiting", "payout-owed"},
    "payments/payouts/sending.py": {"payout-balance-low"},
    "notifications/invariant_alerts.py": {"invariant"},
    "operations/emergency/taking.py": {"emergency-access"},
}


def beginning(key):
    """The part of a key before its first colon, if the code spells it out."""
    match key:
        case ast.Constant(value=str(text)) | ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return text.partition(":")[0]
    return None


def sources():
    for config in apps.get_app_configs():
        folder = Path(config.path)
        if folder.is_relative_to(CHECKOUT) and "tests" not in folder.parts and ".venv" not in folder.parts:
            yield from (path for path in folder.rglob("*.py") if "tests" not in path.parts)


def raised_kinds():
    """The kind of each call of raise_alert, and the files with keys made elsewhere."""
    spelled, elsewhere = set(), set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "raise_alert":
                [key] = [keyword.value for keyword in node.keywords if keyword.arg == "key"]
                kind = beginning(key)
                if kind:
                    spelled.add(kind)
                else:
                    elsewhere.add(str(path.relative_to(CHECKOUT)))
    return spelled, elsewhere


def test_each_alert_has_advice():
    spelled, elsewhere = raised_kinds()
    assert len(spelled) > 25
    assert elsewhere == COMPUTED.keys()
    kinds = spelled.union(*COMPUTED.values())
    assert sorted(kind for kind in kinds if advice_on(f"{kind}:1") is None) == []
    assert sorted(_advice.keys() - kinds) == []


@pytest.mark.django_db
def test_each_page_of_advice_opens_or_is_a_row_that_is_gone():
    boss = signed_in(User.objects.create_superuser("boss@example.org", "correct horse battery"))
    for kind, advice in _advice.items():
        if page := advice.page("1"):
            assert boss.get(page).status_code in (200, 302), kind


@pytest.mark.django_db
def test_what_an_alert_itself_says_comes_before_the_advice_on_its_kind():
    raise_alert(key="refund-parked:7", title="Trouble", detail={"what to do": "Wait.", "page": "/admin/"})
    raise_alert(key="refund-parked:8", title="Trouble")
    first, second = Alert.objects.order_by("pk")
    assert (first.what_to_do, first.page) == ("Wait.", "/admin/")
    assert "Retry now" in second.what_to_do
    # The list, because only there rows can be retried.
    assert second.page == "/admin/payments/refund/?state__exact=parked"


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["//evil.example/", "https://evil.example/", 7, None])
def test_an_alert_links_only_to_this_site(page):
    raise_alert(key="unknown-kind:1", title="Trouble", detail={"page": page})
    assert Alert.objects.get().page == ""
