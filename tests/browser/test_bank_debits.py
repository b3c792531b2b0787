"""A bank debit: the places wait with the student for days, then the money arrives, or the cart is as it was."""

import pytest
from playwright.sync_api import expect

DAYS = 3 * 86_400
SUCCEEDS, FAILS = "AT321904300235473204", "AT051904300235473205"


@pytest.fixture
def debits_are_offered(site):
    site.sandbox("methods", types=["card", "sepa_debit"])
    yield
    site.sandbox("methods", types=["card"])
    site.sandbox("clock", reset=True)


def pays_by_debit(student, iban):
    page = student.page
    page.locator("#method-sepa").check()
    page.locator("#iban").fill(iban)
    page.locator("#billingName").fill("A Student")
    page.locator("#billingCountry").select_option("AT")
    page.locator("#pay").click()


def buys_in_euros(student, workshop):
    page = student.page
    page.goto("/")
    page.locator("summary", has_text="Prices in").click()
    page.get_by_role("button", name="EUR", exact=True).click()
    student.adds_workshop(workshop, places=1)
    total = student.total_in_cart()
    assert "€" in total
    student.goes_to_payment()
    expect(student.page.locator("body")).to_contain_text(total)
    return total


@pytest.mark.usefixtures("debits_are_offered")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_debit_that_succeeds_days_later_delivers_with_equal_figures(site, new_student, mixed, width):
    student = new_student(width=width)
    total = buys_in_euros(student, mixed.workshop)
    pays_by_debit(student, SUCCEEDS)
    state = student.page.locator("#order-state")
    expect(state.get_by_role("heading", level=1)).to_have_text("Your bank is working on it")
    expect(state).to_contain_text(total)
    assert student.owns()["places"] == 0

    site.sandbox("clock", advance=DAYS)
    site.sandbox("drain", timeout=30)
    site.wait_until(lambda: student.owns()["places"], within=60, what="delivery")
    student.page.reload()
    student.sees_paid()
    expect(state.locator(".lead")).to_contain_text(total)
    order = student.has_only_one_order_paid()
    (payment,) = student.payments()
    (charge,) = site.charges_of(payment["stripe_payment_intent_id"])
    booked = site.query(
        "SELECT sum(p.amount_minor) AS minor FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id"
        " JOIN ledger_journal j ON j.id = p.journal_id"
        " WHERE j.source = %s AND a.kind = 'stripe_clearing'",
        f"order:{order['number']}:settled",
    )
    assert charge["amount"] == order["total_minor"] == payment["amount_minor"]
    assert booked[0]["minor"] == order["total_minor"]


@pytest.mark.usefixtures("debits_are_offered")
def test_a_debit_that_fails_days_later_gives_the_cart_back_and_tells_the_student(site, student, mixed):
    total = buys_in_euros(student, mixed.workshop)
    pays_by_debit(student, FAILS)
    state = student.page.locator("#order-state")
    expect(state.get_by_role("heading", level=1)).to_have_text("Your bank is working on it")

    site.sandbox("clock", advance=DAYS)
    site.sandbox("drain", timeout=30)
    site.wait_until(lambda: student.orders()[-1]["state"] == "cancelled", within=60, what="the refusal")
    student.page.reload()
    expect(state.get_by_role("heading", level=1)).to_have_text("This order was not paid")
    student.page.goto("/cart/")
    assert student.total_in_cart() == total
    assert student.owns()["places"] == 0
    site.wait_until(
        lambda: [m for m in site.mails_to(student.email) if m["template"] == "payments/mail/debit_refused"],
        within=30,
        what="the mail",
    )
