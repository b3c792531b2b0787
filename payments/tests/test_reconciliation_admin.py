"""Staff look at runs, differences and payouts, start a run, and make safe repairs with the permission to do so."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from jobs.runner import drain
from payments.models import Difference, ReconciliationRun, Refund, StripeMovement
from payments.reconciliation.composition import compose
from payments.stripe_links import dashboard_url
from payments.tests.planted_differences import charge_of, refund_of, transaction
from payments.tests.test_reconciliation_runs import reconcile, sale, stripe_post

pytestmark = pytest.mark.django_db


def staff_with(*codenames):
    user = User.objects.create_user(f"may-{len(codenames)}-{uuid4().hex[:8]}@example.org", "correct horse battery")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames, content_type__app_label="payments"))
    client = Client()
    client.force_login(user)
    return client


LOOKING = ("view_reconciliationrun", "view_difference", "view_stripemovement")


def with_a_refund_by_hand(sandbox):
    payment = sale(sandbox)
    stripe_post(sandbox, "refunds", payment_intent=payment.stripe_payment_intent_id, amount=700)
    reconcile()
    return Difference.objects.get()


def test_runs_differences_and_transactions_can_be_looked_at(stripe_sandbox):
    difference = with_a_refund_by_hand(stripe_sandbox)
    client = staff_with(*LOOKING)
    for model in (ReconciliationRun, Difference, StripeMovement):
        name = model._meta.model_name
        assert client.get(f"/admin/payments/{name}/").status_code == 200
        for row in model.objects.all():
            assert client.get(f"/admin/payments/{name}/{row.pk}/change/").status_code == 200
            assert client.post(f"/admin/payments/{name}/{row.pk}/change/").status_code == 403
            assert client.post(f"/admin/payments/{name}/{row.pk}/delete/").status_code == 403
        assert client.get(f"/admin/payments/{name}/add/").status_code == 403
    page = client.get(f"/admin/payments/difference/{difference.pk}/change/").content.decode()
    assert difference.sentence in page
    assert f"/objects/{difference.object_id}" in page
    listed = client.get("/admin/payments/difference/", {"run": difference.run_id}).content.decode()
    assert difference.order.number in listed
    for other in (difference.run_id + 1, "x", "²"):
        listed = client.get("/admin/payments/difference/", {"run": other}).content.decode()
        assert difference.order.number not in listed


def test_only_the_permission_allows_to_start_and_to_repair(stripe_sandbox):
    difference = with_a_refund_by_hand(stripe_sandbox)
    for address in ("reconciliationrun/start/", f"difference/{difference.pk}/repair/"):
        for codenames in ((), LOOKING):
            client = staff_with(*codenames)
            for answer in (client.get(f"/admin/payments/{address}"), client.post(f"/admin/payments/{address}")):
                assert answer.status_code in (302, 403)
            User.objects.filter(is_staff=True).delete()
    assert ReconciliationRun.objects.count() == 1
    assert not Refund.objects.exists()


def test_a_repair_is_shown_first_and_made_on_confirmation(stripe_sandbox):
    difference = with_a_refund_by_hand(stripe_sandbox)
    client, address = staff_with(*LOOKING, "reconcile"), f"/admin/payments/difference/{difference.pk}/repair/"
    assert "Ask Stripe for the refund" in client.get(address).content.decode()
    assert not Refund.objects.exists()
    for _ in range(2):
        assert client.post(address).status_code == 302
    difference.refresh_from_db()
    assert difference.repaired_at
    assert difference.repaired_by.email.startswith("may-")
    assert Refund.objects.count() == 1
    assert "was repaired on" in client.get(address).content.decode()


def test_a_repair_that_stripe_does_not_answer_changes_nothing(stripe_sandbox):
    difference = with_a_refund_by_hand(stripe_sandbox)
    stripe_sandbox.fault("server_error", path=f"/v1/refunds/{difference.object_id}", method="GET", count=9)
    client = staff_with(*LOOKING, "reconcile")
    page = client.post(f"/admin/payments/difference/{difference.pk}/repair/", follow=True).content.decode()
    assert "Stripe does not answer" in page
    difference.refresh_from_db()
    assert difference.repaired_at is None


def test_a_run_is_started_on_confirmation_and_performed_by_a_worker(stripe_sandbox):
    sale(stripe_sandbox)
    client = staff_with(*LOOKING, "reconcile")
    assert client.get("/admin/payments/reconciliationrun/start/").status_code == 200
    assert not ReconciliationRun.objects.exists()
    page = client.post("/admin/payments/reconciliationrun/start/", {"repairs": "routine"}, follow=True)
    assert "runs in the background" in page.content.decode()
    drain(ReconciliationRun, seconds=20)
    run = ReconciliationRun.objects.get()
    assert (run.state, run.repairs) == ("done", "routine")
    assert "Clean" in client.get("/admin/payments/reconciliationrun/").content.decode()


def test_a_payout_is_shown_with_its_items(stripe_sandbox):
    """Charges carry no id of the payout they are part of; Stripe is asked for the items of the payout."""
    sale(stripe_sandbox, 5300)
    sale(stripe_sandbox, 4100)
    four_days = timedelta(days=4)
    account = stripe_sandbox.get("account")["id"]
    bank = {"object": "bank_account", "country": "GB", "currency": "gbp", "account_number": "00012345"}
    fields = {f"external_account[{name}]": value for name, value in bank.items()}
    stripe_post(stripe_sandbox, f"accounts/{account}/external_accounts", **fields)
    stripe_post(stripe_sandbox, f"accounts/{account}", **{"settings[payouts][schedule][interval]": "daily"})
    stripe_sandbox.switch("clock", advance=int(four_days.total_seconds()))
    payouts = stripe_sandbox.get("payouts")["data"]
    assert [payout["automatic"] for payout in payouts] == [True], stripe_sandbox.get("balance")
    with time_machine.travel(timezone.now() + four_days):
        reconcile("--fix")
        client = staff_with(*LOOKING)
        page = client.get(f"/admin/payments/stripemovement/payout/{payouts[0]['id']}/").content.decode()
        assert client.get("/admin/payments/stripemovement/payout/po_unknown/").status_code == 404
    assert "£94.00" in page
    assert "cannot be named" not in page


def test_what_cannot_be_named_is_a_labelled_remainder():
    """Automattic/woocommerce-payments#8588: rows of a payout did not add up to it."""
    items = [
        transaction("charge", number=1, amount=100_000, source=charge_of(1)),
        transaction("refund", number=2, amount=-10_000, source=refund_of(1)),
        transaction("adjustment", number=3, amount=-3_000, fee=1_500, source="du_1", reporting_category="dispute"),
        transaction("novelty", number=4, amount=-500, source=None),
    ]
    made_of = compose(85_000, "GBP", items)
    sums = [(part.title, part.amount_minor) for part in made_of.named]
    assert sums == [("Charges", 100_000), ("Refunds", -10_000), ("Disputes", -3_000), ("Stripe's fees", -1_500)]
    assert (made_of.named_minor, made_of.remainder_minor) == (85_500, -500)
    assert [movement.id for movement in made_of.unknown] == ["txn_4"]
    assert made_of.unlisted_minor == 0


def test_the_items_of_a_payout_are_those_stripe_lists_for_it():
    """airbytehq/airbyte#46499: only the payout's own transaction carries its id."""
    items = [
        transaction("charge", number=1, amount=5_300, fee=124, source=charge_of(1)),
        transaction("charge", number=2, amount=4_100, fee=112, source=charge_of(2)),
    ]
    made_of = compose(9_164, "GBP", items)
    assert (made_of.named_minor, made_of.remainder_minor) == (9_164, 0)
    assert made_of.named[0].count == 2


@pytest.mark.parametrize(
    ("object_id", "address"),
    [
        ("pi_1", "https://dashboard.stripe.com/test/payments/pi_1"),
        ("txn_1", "https://dashboard.stripe.com/test/search?query=txn_1"),
        ("../x", "https://dashboard.stripe.com/test/search?query=..%2Fx"),
        ("", ""),
    ],
)
def test_links_lead_into_the_dashboard(settings, object_id, address):
    settings.PAYMENTS_MODE = "test"
    assert dashboard_url(object_id, livemode=False) == address
    assert dashboard_url(object_id, livemode=True) == address.replace("/test", "")
