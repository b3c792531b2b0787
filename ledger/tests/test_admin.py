import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import TeacherFactory, UserFactory
from ledger.models import Account, Journal, PeriodClose
from ledger.tests.test_journals import sale

pytestmark = pytest.mark.django_db
LISTS = ["account", "journal", "periodclose"]


@pytest.fixture
def boss():
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.org", "correct horse battery"))
    return client


def staff_with(*codenames):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="ledger", codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def test_the_chart_says_what_each_account_means_and_what_is_on_all_of_its_kind(boss):
    for teacher in TeacherFactory.create_batch(2):
        sale(teacher, source=f"order:{teacher.pk}")
    page = boss.get(reverse("admin:ledger_account_changelist")).content.decode()
    assert "Earned by the teacher, not yet theirs to withdraw." in page
    assert "£180.00" in page
    assert "£200.00" in page


def test_a_journal_shows_its_postings_on_their_sides(boss):
    sale(TeacherFactory(display_name="Elena"), subject="order:L-1", description="Piano lesson")
    page = boss.get(reverse("admin:ledger_journal_change", args=[Journal.objects.get().pk])).content.decode()
    for text in ("order:L-1:settled", "Piano lesson", "Teacher: pending GBP of Elena", "£90.00", "£100.00"):
        assert text in page


def test_an_account_links_to_its_journals(boss):
    first, second = TeacherFactory.create_batch(2)
    sale(first, source="order:first")
    sale(second, source="order:second")
    account = Account.objects.get(teacher=first, kind="teacher_pending")
    page = boss.get(reverse("admin:ledger_account_change", args=[account.pk])).content.decode()
    assert f"/ledger/journal/?account={account.pk}" in page
    journals = boss.get(reverse("admin:ledger_journal_changelist"), {"account": account.pk}).content.decode()
    assert "order:first" in journals
    assert "order:second" not in journals


@pytest.mark.parametrize("model", LISTS)
def test_nothing_can_be_added_changed_or_deleted_by_hand(boss, model):
    sale(TeacherFactory())
    assert boss.get(reverse(f"admin:ledger_{model}_changelist")).status_code == 200
    assert boss.get(reverse(f"admin:ledger_{model}_add")).status_code == 403
    assert boss.post(reverse(f"admin:ledger_{model}_add"), {}).status_code == 403
    found = {"account": Account, "journal": Journal}.get(model)
    if found:
        pk = found.objects.first().pk
        assert boss.post(reverse(f"admin:ledger_{model}_change", args=[pk]), {"kind": "x"}).status_code == 403
        assert boss.post(reverse(f"admin:ledger_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403


def test_a_period_is_closed_after_a_preview_by_staff_with_the_permission():
    client = staff_with("view_periodclose", "close_period")
    sale(TeacherFactory())
    address = reverse("admin:ledger_periodclose_close")
    assert client.get(address).status_code == 200
    typed = {"until_0": "2026-02-01", "until_1": "00:00", "note": "January"}
    preview = client.post(address, typed)
    assert "This closes everything before 1 February 2026, 00:00" in preview.content.decode()
    assert not PeriodClose.objects.exists()
    assert client.post(address, {**typed, "confirm": "1"}).status_code == 302
    closing = PeriodClose.objects.get()
    assert closing.note == "January"
    assert closing.closed_by.is_staff
    again = client.post(address, {**typed, "confirm": "1"})
    assert "already" in again.content.decode()
    future = client.post(address, {"until_0": "2999-01-01", "until_1": "00:00"})
    assert "only when it is over" in future.content.decode()
    assert PeriodClose.objects.count() == 1


def test_closing_needs_its_own_permission():
    client = staff_with("view_periodclose")
    assert "Close a period" not in client.get(reverse("admin:ledger_periodclose_changelist")).content.decode()
    address = reverse("admin:ledger_periodclose_close")
    assert client.get(address).status_code == 403
    posted = client.post(address, {"until_0": "2026-02-01", "until_1": "00:00", "confirm": "1"})
    assert posted.status_code == 403
    assert not PeriodClose.objects.exists()
