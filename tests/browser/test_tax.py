"""Tax on top of prices: the same figures in the cart, on Stripe's page, on order and receipt, in the ledger and the admin."""

import re

import pytest
from playwright.sync_api import expect

from payments.tests.drawn_text import text_of_pdf

TAX = {"TAX_MODE": "added", "TAX_OWED_BY": "platform", "TAX_RATE_BPS": "2000", "TAX_RATES": "courses:700"}
CODE = "HALF-A-COURSE"


@pytest.fixture
def taxed_site(site):
    """The site as it is with these settings; afterwards without them."""
    given = site.stack._given
    before = dict(given)
    for settings in (TAX, None):
        site.stack._given = {**before, **(settings or {})}
        site.kill("web")
        site.start("web")
        if settings:
            yield site


def choose_currency(page, currency):
    page.goto("/browse/")
    page.locator("summary", has_text="Prices in").first.click()
    page.get_by_role("button", name=currency, exact=True).click()
    page.wait_for_load_state()


def sold_in(site, currency, domain):
    """The title of something that is sold in this currency for a while yet."""
    [listing] = site.query(
        "SELECT l.title FROM catalogue_listing l JOIN catalogue_listingprice p ON p.listing_id = l.id"
        " WHERE l.domain = %s AND p.currency = %s AND NOT l.is_sold_out"
        " AND (l.starts_at IS NULL OR l.starts_at > now() + interval '5 days') ORDER BY l.id DESC LIMIT 1",
        domain,
        currency,
    )
    return listing["title"]


def minor(text, exponent=2):
    """An amount as a page writes it, in minor units."""
    return round(float(re.sub(r"[^\d.]", "", text)) * 10**exponent)


def amount_beside(page, label):
    """The amount in the cart's summary beside a label."""
    return page.locator("aside p", has=page.get_by_text(label, exact=True)).locator(".price").inner_text()


def make_code(site):
    made = (
        "from payments.models import DiscountCode;"
        f"DiscountCode.objects.get_or_create(code={CODE!r}, percent_bps=5000, domain='courses')"
    )
    site.manage("shell", "--no-imports", "-c", made)


def books_of(site, number):
    """What an order's sale is in the ledger, by account, positive as readers see it."""
    rows = site.query(
        "SELECT a.kind, sum(abs(p.amount_minor))::bigint AS minor FROM ledger_posting p"
        " JOIN ledger_account a ON a.id = p.account_id JOIN ledger_journal j ON j.id = p.journal_id"
        " WHERE j.source = %s GROUP BY a.kind",
        f"order:{number}:settled",
    )
    return {row["kind"]: row["minor"] for row in rows}


def shows_everywhere(site, shopper, staff, *, texts, total):
    """The order's page, its receipt and its page for staff show these texts and this total."""
    number = shopper.order_number()
    page = shopper.page
    page.reload()
    for text in texts:
        expect(page.locator("main")).to_contain_text(text)
    receipt = text_of_pdf(page.request.get(f"/my/orders/{number}/receipt.pdf").body())
    [order] = site.query("SELECT * FROM payments_order WHERE number = %s", number)
    staff.goto(f"/admin/payments/order/{order['id']}/change/")
    for text in (*texts, total):
        assert text in receipt, text
        expect(staff.locator("#content")).to_contain_text(text)
    return order


def test_a_mixed_cart_in_euros_with_a_code_for_courses(taxed_site, new_student, open_page, sign_in):
    make_code(taxed_site)
    shopper = new_student()
    page = shopper.page
    choose_currency(page, "EUR")
    shopper.adds_workshop(sold_in(taxed_site, "EUR", "workshops"), places=2)
    shopper.adds_course(sold_in(taxed_site, "EUR", "courses"))
    expect(page.locator(".cart-lines")).to_contain_text("+ 20 % VAT")
    expect(page.locator(".cart-lines")).to_contain_text("+ 7 % VAT")
    page.get_by_text("Have a discount code?").click()
    page.get_by_label("Discount code").fill(CODE)
    page.get_by_role("button", name="Apply").click()
    before, off = minor(amount_beside(page, "Before discounts")), minor(amount_beside(page, "Discount"))
    high, low = amount_beside(page, "VAT 20 %"), amount_beside(page, "VAT 7 %")
    total = shopper.total_in_cart()
    assert minor(total) == before - off + minor(high) + minor(low)

    shopper.presses_pay()
    expect(page.locator("#total")).to_contain_text(total)
    expect(page.locator("body")).to_contain_text("VAT 20 %")
    expect(page.locator("body")).to_contain_text(high)
    shopper.pays_by_card()
    shopper.sees_paid()
    staff = open_page()
    sign_in(staff, "staff")
    order = shows_everywhere(taxed_site, shopper, staff, texts=("VAT 20 %", high, "VAT 7 %", low), total=total)
    assert (order["currency"], order["total_minor"]) == ("EUR", minor(total))
    books = books_of(taxed_site, order["number"])
    assert books["tax_payable"] == order["tax_minor"] == minor(high) + minor(low)
    assert books["stripe_clearing"] == order["total_minor"]
    staff.goto("/admin/payments/document/tax")
    expect(staff.locator("#content")).to_contain_text("The platform owes")


def test_a_purchase_in_yen_on_a_phone(taxed_site, new_student, open_page, sign_in):
    shopper = new_student(width=390, height=844)
    page = shopper.page
    choose_currency(page, "JPY")
    shopper.adds_workshop(sold_in(taxed_site, "JPY", "workshops"), places=3)
    tax, total = amount_beside(page, "VAT 20 %"), shopper.total_in_cart()
    net = minor(amount_beside(page, "Before tax"), 0)
    assert minor(tax, 0) == (net * 2 + 5) // 10
    assert minor(total, 0) == net + minor(tax, 0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shopper.presses_pay()
    expect(page.locator("#total")).to_contain_text(re.sub(r"[^\d,]", "", total))
    shopper.pays_by_card()
    shopper.sees_paid()
    staff = open_page()
    sign_in(staff, "staff")
    number = shopper.order_number()
    [order] = taxed_site.query("SELECT * FROM payments_order WHERE number = %s", number)
    assert (order["currency"], order["total_minor"], order["tax_minor"]) == ("JPY", minor(total, 0), minor(tax, 0))
    shows_everywhere(taxed_site, shopper, staff, texts=("VAT 20 %", tax), total=total)
    assert books_of(taxed_site, number)["tax_payable"] == order["tax_minor"]
