"""The pages of teachers and staff about payouts: what they show, what they refuse, and who may decide."""

import re
import uuid

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.invariants import broken
from money import Money
from notifications.models import Mail
from payments.invariants import INVARIANTS
from payments.models import ConnectedAccount, Payout, PayoutSchedule, PayoutTransfer
from payments.payouts.decisions import decline_payout
from payments.tests.payout_factories import (
    approved,
    books_of,
    earn,
    fill_in,
    fund,
    onboarded,
    ready_account,
    requested,
    teacher_with,
)

pytestmark = pytest.mark.django_db

PAYOUTS = "/teach/payouts/"


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def page_of(teacher, path=PAYOUTS):
    response = signed_in(teacher.user).get(path)
    assert response.status_code == 200
    return response.content.decode()


def ask(teacher, amount="", currency="GBP"):
    data = {"currency": currency, f"{currency}-amount": amount}
    return signed_in(teacher.user).post(f"{PAYOUTS}request/", data, follow=True)


def finance(permission="approve_payout"):
    """A member of staff who may see payouts, and decide unless another permission is given."""
    staff = UserFactory(is_staff=True)
    wanted = ["view_payout", permission]
    staff.user_permissions.add(*Permission.objects.filter(content_type__app_label="payments", codename__in=wanted))
    return staff


# --- Teachers ---------------------------------------------------------------------------------------------------------


def test_a_new_teacher_is_asked_to_set_up_an_account_and_sees_nothing_to_pay_out():
    page = page_of(TeacherFactory())
    assert "Set up at Stripe" in page
    assert "Nothing yet." in page
    assert "You have not been paid out yet." in page
    assert "Request payout" not in page


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "Ready"),
        ({"are_details_submitted": False, "can_receive_transfers": False}, "Not complete"),
        ({"can_pay_out": False, "requirements_due": ["external_account"]}, "Not complete"),
        ({"can_pay_out": False}, "Being checked"),
        ({"closed_at": "2026-01-01T00:00Z"}, "Closed"),
    ],
)
def test_the_state_of_the_account_is_shown(changes, shown):
    teacher = TeacherFactory()
    ready_account(teacher, **changes)
    earn(teacher, 9000)
    page = page_of(teacher)
    assert f">{shown}</span>" in page
    assert ("Request payout" in page) == (changes == {})


def test_a_teacher_requests_all_or_a_part():
    teacher = teacher_with(9000)
    response = ask(teacher, "40.00")
    assert "You have requested £40.00" in response.content.decode()
    assert books_of(teacher) == (5000, 4000)
    page = page_of(teacher)
    assert "A payout of £40.00" in page
    assert "Request payout" not in page


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("90.01", "Only £90.00 is available."),
        ("9.99", "The minimum payout is £10.00."),
        ("0", "more than zero"),
        ("-5", "cannot be negative"),
        ("1.001", "can be read in two ways"),
        ("much", "digits 0 to 9"),
        ("1e5", "digits 0 to 9"),
        ("NaN", "digits 0 to 9"),
        ("9" * 40, "no more than"),
    ],
)
def test_a_senseless_amount_is_explained_beside_the_field_and_changes_nothing(amount, message):
    teacher = teacher_with(9000)
    response = ask(teacher, amount)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert (books_of(teacher), Payout.objects.count()) == ((9000, 0), 0)


def test_another_currency_or_none_is_not_found():
    teacher = teacher_with(9000)
    assert ask(teacher, "10", currency="EUR").status_code == 404
    assert signed_in(teacher.user).post(f"{PAYOUTS}request/", {}).status_code == 404


def test_pressing_the_button_twice_is_one_payout():
    teacher = teacher_with(9000)
    ask(teacher, "40")
    assert "already under way" in ask(teacher, "40").content.decode()
    assert Payout.objects.count() == 1


def test_a_debt_is_shown_as_a_debt():
    page = page_of(teacher_with(-1250))
    assert "You owe <strong" in page
    assert "£12.50" in page
    assert "-£12.50" not in page


def test_a_teacher_chooses_a_schedule_and_reads_when_the_next_payout_is():
    teacher = teacher_with(9000)
    response = signed_in(teacher.user).post(f"{PAYOUTS}schedule/", {"interval": "weekly"}, follow=True)
    assert "Your next payout is requested on" in response.content.decode()
    assert PayoutSchedule.objects.get(teacher=teacher).interval == "weekly"
    signed_in(teacher.user).post(f"{PAYOUTS}schedule/", {"interval": "hourly"})
    assert PayoutSchedule.objects.get(teacher=teacher).interval == "weekly"
    signed_in(teacher.user).post(f"{PAYOUTS}schedule/", {"interval": "on_request"})
    assert PayoutSchedule.objects.get(teacher=teacher).next_on is None


def test_a_payouts_page_shows_its_history_to_its_teacher_only():
    payout = requested()
    decline_payout(payout_id=payout.pk, by=UserFactory(), reason="Please confirm your address.")
    page = page_of(payout.teacher, payout.get_absolute_url())
    assert "Please confirm your address." in page
    assert page.index("Requested <") < page.index("Declined <")
    assert signed_in(teacher_with().user).get(payout.get_absolute_url()).status_code == 404


def test_the_pages_make_as_many_queries_for_many_payouts_as_for_one(django_assert_max_num_queries):
    teacher = teacher_with(90_000)
    for _ in range(6):
        decline_payout(payout_id=requested(teacher, 1000).pk, by=UserFactory(), reason="No")
    client = signed_in(teacher.user)
    with django_assert_max_num_queries(14):
        assert client.get(PAYOUTS).status_code == 200


def test_onboarding_leads_to_stripe_and_back(stripe_sandbox, settings):
    settings.BASE_URL = "http://testserver"
    teacher = TeacherFactory()
    client = signed_in(teacher.user)
    assert "Choose the country" in client.post(f"{PAYOUTS}account/", {"country": "XX"}, follow=True).content.decode()
    assert not ConnectedAccount.objects.exists()
    link = client.post(f"{PAYOUTS}account/", {"country": "US"}).headers["Location"]
    assert link.startswith(f"{stripe_sandbox.url}/setup/e/acct_")
    back = fill_in(stripe_sandbox, link)
    assert back == "http://testserver/teach/payouts/account/return/"
    assert "Stripe is checking your details" in client.get(back, follow=True).content.decode()
    stripe_sandbox.switch("clock", advance=10)
    assert "you can be paid" in client.get(back, follow=True).content.decode()
    # A used link leads to a new one.
    renewed = client.get(f"{PAYOUTS}account/renew/").headers["Location"]
    assert renewed.startswith(f"{stripe_sandbox.url}/setup/e/acct_")
    assert renewed != link


def test_a_silent_stripe_is_said_and_changes_nothing(stripe_sandbox):
    teacher = TeacherFactory()
    stripe_sandbox.fault("server_error", path="/v1/accounts", count=3)
    page = signed_in(teacher.user).post(f"{PAYOUTS}account/", {"country": "US"}, follow=True).content.decode()
    assert "Stripe does not answer at the moment" in page
    assert not ConnectedAccount.objects.exists()


def test_nobody_without_an_account_returns_from_onboarding():
    client = signed_in(TeacherFactory().user)
    for path in ("return", "renew"):
        assert client.get(f"{PAYOUTS}account/{path}/").headers["Location"] == PAYOUTS


# --- Staff ------------------------------------------------------------------------------------------------------------


def admin_path(payout, what="change"):
    return reverse("admin:payments_payout_change", args=[payout.pk]).replace("/change/", f"/{what}/")


def decide(staff, payout, what, **data):
    return signed_in(staff).post(f"/admin/payments/payout/{payout.pk}/{what}/", data, follow=True)


def test_the_queue_shows_requests_first_with_the_balance_that_would_pay_them(stripe_sandbox):
    fund(stripe_sandbox, 3000, "gbp")
    done = requested()
    decline_payout(payout_id=done.pk, by=UserFactory(), reason="No")
    waiting = requested()
    later = teacher_with(9000)
    decline_payout(payout_id=requested(later).pk, by=UserFactory(), reason="No")
    page = signed_in(finance()).get(reverse("admin:payments_payout_changelist")).content.decode()
    assert page.index(waiting.teacher.display_name) < page.index(later.display_name)
    assert "Not enough for all of them" in page
    assert "£90.00" in page


def test_the_queue_opens_while_stripe_is_silent(stripe_sandbox):
    requested()
    stripe_sandbox.fault("server_error", path="/v1/balance", method="GET", count=3)
    response = signed_in(finance()).get(reverse("admin:payments_payout_changelist"))
    assert response.status_code == 200
    assert "Stripe did not answer" in response.content.decode()


def test_staff_approve_after_reading_what_will_happen(stripe_sandbox):
    fund(stripe_sandbox, 100, "gbp")
    payout, staff = requested(), finance()
    page = signed_in(staff).get(f"/admin/payments/payout/{payout.pk}/approve/").content.decode()
    assert "leaves the platform" in page
    assert "the payout waits until there is enough" in page
    assert Payout.objects.get().status == "requested"
    decide(staff, payout, "approve", note="Checked")
    payout.refresh_from_db()
    assert (payout.status, payout.decided_by, payout.note) == ("approved", staff, "Checked")
    assert PayoutTransfer.objects.count() == 1


def test_declining_needs_a_reason_which_is_mailed(stripe_sandbox):
    payout, staff = requested(), finance()
    assert decide(staff, payout, "decline", reason=" ").status_code == 422
    assert Payout.objects.get().status == "requested"
    decide(staff, payout, "decline", reason="Bank details look wrong.")
    assert Payout.objects.get().status == "declined"
    assert Mail.objects.get(user=payout.teacher.user).context["reason"] == "Bank details look wrong."
    assert "already declined" in decide(staff, payout, "decline", reason="Again").content.decode()
    gone = signed_in(staff).get(f"/admin/payments/payout/{payout.pk}/approve/", follow=True).content.decode()
    assert "not possible any more" in gone


def test_staff_record_a_bank_transfer_and_that_it_came_back():
    payout, staff = requested(), finance()
    for wrong in ({"last_four": "12"}, {"paid_on": "2999-01-01"}, {"fee": "-1"}, {"fee": "1.234"}):
        data = {"paid_on": "2026-01-05", "last_four": "4321", "fee": "", **wrong}
        assert decide(staff, payout, "record-transfer", **data).status_code == 422, wrong
    decide(staff, payout, "record-transfer", paid_on="2026-01-05", last_four="4321", fee="1.00", note="Ref 9")
    payout.refresh_from_db()
    assert (payout.status, payout.bank_last_four, payout.bank_fee) == ("paid", "4321", Money(100, "GBP"))
    assert "ending in 4321" in page_of(payout.teacher, payout.get_absolute_url())
    decide(staff, payout, "record-return", note="Account closed")
    payout.refresh_from_db()
    assert (payout.status, books_of(payout.teacher)) == ("returned", (9000, 0))
    assert broken(INVARIANTS) == {}


def test_staff_record_a_transfer_that_nobody_requested_after_a_preview():
    teacher, staff = TeacherFactory(), finance()
    earn(teacher, 9000)
    client = signed_in(staff)
    path = "/admin/payments/payout/record-transfer/"
    data = {
        "teacher": teacher.user.email.upper(),
        "currency": "GBP",
        "amount": "25.50",
        "paid_on": "2026-01-05",
        "last_four": "00AB",
        "reference": str(uuid.uuid4()),
    }
    assert client.get(path).status_code == 200
    for wrong in ({"teacher": "x@example.org"}, {"currency": "XXX"}, {"amount": "much"}, {"amount": "1.001"}):
        assert client.post(path, data | wrong).status_code == 422, wrong
    preview = client.post(path, data)
    assert "£90.00 is available to them now" in preview.content.decode()
    assert not Payout.objects.exists()
    assert client.post(path, data | {"amount": "90.01", "confirmed": "1"}).status_code == 422
    client.post(path, data | {"confirmed": "1"})
    payout = Payout.objects.get()
    assert (payout.amount, payout.status, payout.origin) == (Money(2550, "GBP"), "paid", "staff")
    assert books_of(teacher) == (6450, 0)


def test_staff_pay_what_is_owed_in_a_currency_that_nothing_is_sold_in_any_more():
    teacher = TeacherFactory()
    earn(teacher, 12_340, "KWD")
    data = {
        "teacher": teacher.user.email,
        "currency": "KWD",
        "amount": "12.340",
        "paid_on": "2026-01-05",
        "last_four": "00AB",
        "reference": str(uuid.uuid4()),
        "confirmed": "1",
    }
    signed_in(finance()).post("/admin/payments/payout/record-transfer/", data)
    assert Payout.objects.get().amount == Money(12_340, "KWD")
    assert books_of(teacher, "KWD") == (0, 0)


@pytest.mark.parametrize("what", ["approve", "decline", "record-transfer"])
def test_without_the_permission_no_decision_is_possible(what):
    payout = requested()
    staff = finance(permission="view_connectedaccount")
    data = {"reason": "x", "note": "x", "paid_on": "2026-01-05", "last_four": "4321"}
    assert decide(staff, payout, what, **data).status_code == 403
    assert signed_in(staff).get("/admin/payments/payout/record-transfer/").status_code == 403
    assert signed_in(finance()).get(f"/admin/payments/payout/{payout.pk}/bribe/").status_code == 404
    assert Payout.objects.get().status == "requested"
    page = signed_in(staff).get(admin_path(payout)).content.decode()
    assert f"/{what}/" not in page


def test_the_page_of_a_payout_shows_who_did_what_and_its_journals():
    payout = approved()
    page = signed_in(finance()).get(admin_path(payout)).content.decode()
    assert str(payout.decided_by) in page
    assert "US$" not in page
    assert "£90.00 credit" in page
    assert "/decline/" in page
    assert "/approve/" not in page


def test_nothing_can_be_added_changed_or_deleted_by_hand():
    payout = requested()
    staff = UserFactory(is_staff=True, is_superuser=True)
    client = signed_in(staff)
    assert client.get("/admin/payments/payout/add/").status_code == 403
    assert client.post(admin_path(payout), {"amount_minor": 1}).status_code == 403
    assert client.post(admin_path(payout, "delete"), {"post": "yes"}).status_code == 403
    assert Payout.objects.get().amount_minor == 9000


def test_a_ready_account_is_shown_beside_the_payout(stripe_sandbox):
    teacher = TeacherFactory()
    account = onboarded(stripe_sandbox, teacher)
    earn(teacher, 9000)
    payout = requested(teacher)
    link = reverse("admin:payments_connectedaccount_change", args=[account.pk])
    assert (
        f'href="{link}">ready</a>'
        in signed_in(finance("view_connectedaccount")).get(admin_path(payout)).content.decode()
    )
    superuser = UserFactory(is_staff=True, is_superuser=True)
    assert account.stripe_account_id in signed_in(superuser).get(link).content.decode()


def test_a_recorded_bank_transfer_that_is_sent_twice_is_one_payout():
    teacher = teacher_with(20_000)
    staff = signed_in(finance())
    page = staff.get("/admin/payments/payout/record-transfer/").content.decode()
    typed = {
        "teacher": teacher.user.email,
        "currency": "GBP",
        "amount": "90.00",
        "reference": re.search(r'name="reference" value="([0-9a-f-]+)"', page).group(1),
        "paid_on": "2026-11-30",
        "last_four": "1234",
        "note": "",
        "fee": "0",
        "confirmed": "1",
    }
    for _ in range(2):
        assert staff.post("/admin/payments/payout/record-transfer/", typed).status_code == 302
    assert books_of(teacher) == (11_000, 0)
    assert teacher.payouts.get().status == "paid"


@pytest.mark.parametrize("amount", ["1e999999", "1e26", "NaN", "-5", "0", "12.345", "a"])
def test_an_impossible_amount_of_a_bank_transfer_is_explained(amount):
    teacher = teacher_with(20_000)
    typed = {"teacher": teacher.user.email, "currency": "GBP", "amount": amount, "reference": str(uuid.uuid4())}
    typed |= {"paid_on": "2026-11-30", "last_four": "1234", "note": "", "fee": "0", "confirmed": "1"}
    response = signed_in(finance()).post("/admin/payments/payout/record-transfer/", typed)
    assert response.status_code == 422
    assert books_of(teacher) == (20_000, 0)
