import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts.apps import _grant_roles
from accounts.roles import ROLES, Role, grant_roles, may
from accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def member_of(group):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


# Rows: what; columns: who may.
MATRIX = [
    ("accounts.view_user", {"support", "finance", "admin"}),
    ("accounts.change_user", {"admin"}),
    ("accounts.delete_user", set()),
    ("accounts.decide_teacher", {"support", "admin"}),
    ("accounts.set_commission", {"finance", "admin"}),
    ("accounts.delete_teacher", set()),
    ("catalogue.change_subject", {"support", "admin"}),
    ("catalogue.view_subject", {"support", "finance", "admin"}),
    ("catalogue.delete_subject", {"admin"}),
    ("auth.change_group", set()),
    ("auth.add_permission", set()),
    ("mfa.view_authenticator", set()),
    ("mfa.delete_authenticator", set()),
    ("djstripe.view_charge", {"finance", "admin"}),
    ("djstripe.change_charge", set()),
    ("djstripe.view_apikey", set()),
    ("djstripe.view_webhookendpoint", set()),
    ("admin.delete_logentry", set()),
    ("payments.refund_order", {"finance", "admin"}),
    ("payments.allocate_refund", {"finance", "admin"}),
    ("payments.delete_refundchange", set()),
]


@pytest.mark.parametrize(("permission", "groups"), MATRIX)
def test_who_may_do_what(permission, groups):
    label, codename = permission.split(".")
    assert Permission.objects.filter(content_type__app_label=label, codename=codename).exists()
    assert {name for name in ROLES if member_of(name).has_perm(permission)} == groups


def test_support_moves_no_money_and_no_role_deletes_what_was_paid():
    support = ROLES["support"]
    for permission in ("payments.add_refund", "payments.change_payout", "payments.change_order", "ledger.view_journal"):
        assert not may(support, permission)
    assert may(support, "payments.view_order")
    for role in ROLES.values():
        assert not may(role, "payments.delete_order")
        assert not may(role, "ledger.delete_posting")
    assert may(ROLES["finance"], "payments.add_refund")


def test_every_pattern_names_an_app_there_may_be():
    """A misspelt app would silently grant nothing."""
    planned = {"operations", "ledger"}
    known = {config.label for config in apps.get_app_configs()} | planned | {"*", "sessions"}
    for role in ROLES.values():
        assert {pattern.partition(".")[0] for pattern in (*role.may, *role.never)} <= known


def test_every_pattern_of_accounts_fits_something():
    codenames = [f"accounts.{p.codename}" for p in Permission.objects.filter(content_type__app_label="accounts")]
    for role in ROLES.values():
        for pattern in role.may:
            if pattern.startswith("accounts."):
                assert any(may(Role(may=(pattern,)), name) for name in codenames), pattern


def test_the_next_migration_takes_back_what_was_added_and_keeps_groups_of_ones_own():
    support, own = Group.objects.get(name="support"), Group.objects.create(name="interns")
    forbidden = Permission.objects.get(content_type__app_label="accounts", codename="change_user")
    support.permissions.add(forbidden)
    own.permissions.add(forbidden)
    before = set(Group.objects.get(name="finance").permissions.values_list("pk", flat=True))
    call_command("migrate", verbosity=0)
    assert not support.permissions.filter(pk=forbidden.pk).exists()
    assert own.permissions.filter(pk=forbidden.pk).exists()
    assert set(Group.objects.get(name="finance").permissions.values_list("pk", flat=True)) == before


def test_it_waits_while_there_are_no_groups_yet():
    class NothingMigrated:
        def get_model(self, *_):
            raise LookupError

    grant_roles(apps.get_app_config("accounts"), apps=NothingMigrated())
    _grant_roles(app_config=apps.get_app_config("accounts"), using="default", apps=NothingMigrated(), plan=[])
