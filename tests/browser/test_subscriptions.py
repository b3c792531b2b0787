"""A subscription as a student lives with it, for three months of Stripe's clock: the same figures everywhere."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.shopper import WORKS
from tests.chromium import scrolls_sideways

MONTH = 31 * 86_400 + 3 * 3600  # the invoice is charged an hour after its period has begun
DECLINED_LATER = "4000000000000341"  # can be saved, and is declined when it is charged
COURSES, WITH_LESSONS = "Course library", "Courses and lessons"


@pytest.fixture
def stripes_clock(site):
    def wait(seconds):
        site.sandbox("clock", advance=seconds)
        site.sandbox("drain", timeout=60)

    yield wait
    site.sandbox("clock", reset=True)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_subscription_from_its_start_to_its_end(site, new_student, open_page, sign_in, stripes_clock, width):
    subscriber = Subscriber(site, new_student(width=width))
    first = subscriber.subscribes(WITH_LESSONS)
    subscriber.has_paid([first])
    subscriber.opens_a_course_of_the_plan()

    later = subscriber.changes_to_the_cheaper_plan(COURSES)
    subscriber.has_paid([first])
    stripes_clock(MONTH)
    subscriber.has_paid([first, later])

    subscriber.saves_a_card(DECLINED_LATER)
    stripes_clock(MONTH)
    subscriber.is_asked_to_pay(later)
    subscriber.opens_a_course_of_the_plan()
    subscriber.pays_the_open_invoice(later)
    subscriber.has_paid([first, later, later])
    subscriber.gets("payment_failed", "recovered")

    subscriber.cancels()
    subscriber.resumes()
    subscriber.cancels()
    staff = open_page()
    sign_in(staff, "staff")
    staff_see_it(staff, subscriber, [first, later])
    stripes_clock(MONTH)
    subscriber.sees_it_ended(COURSES)
    subscriber.has_paid([first, later, later])


def test_a_dearer_plan_costs_at_once_what_was_shown(site, new_student):
    subscriber = Subscriber(site, new_student(width=390))
    monthly = subscriber.subscribes(WITH_LESSONS)
    due = subscriber.changes_to_the_dearer_plan(f"{WITH_LESSONS}, yearly")
    subscriber.has_paid([monthly, due])


class Subscriber:
    """A student on one page. Amounts are as they are written, such as £29.00."""

    def __init__(self, site, student):
        self.site = site
        self.student = student
        self.page = student.page

    def subscribes(self, plan):
        self.visits("/plans/")
        card = self.page.locator("li.card", has=self.page.get_by_role("heading", name=plan, exact=True))
        amount = card.locator(".price").first.inner_text()
        card.get_by_role("button", name="monthly").click()
        self.student.waits_for_payment_page()
        expect(self.page.locator("body")).to_contain_text(amount)
        self.student.pays_by_card()
        self.page.wait_for_url("**/my/subscription/**")
        expect(self.page.locator("#subscription .badge")).to_have_text("Active")
        expect(self.page.locator("#subscription")).to_contain_text(f"{amount} on")
        return amount

    def changes_to_the_cheaper_plan(self, plan):
        """Returns what it costs from the next month on."""
        amount = self.looks_at(f"{plan}, monthly")
        expect(self.page.locator("main")).to_contain_text("Nothing is charged now.")
        self.page.get_by_role("button", name="Change plan").click()
        self.page.wait_for_url("**/my/subscription/")
        expect(self.page.locator("#subscription")).to_contain_text(f"{amount} on")
        expect(self.page.locator("#subscription")).to_contain_text(f"for {plan}")
        return amount

    def changes_to_the_dearer_plan(self, plan):
        """Returns what is charged at once."""
        amount = self.looks_at(plan)
        due = self.page.locator("tfoot .price").inner_text()
        assert minor_of(due) < minor_of(amount)
        self.page.get_by_role("button", name=f"Change and pay {due}").click()
        self.page.wait_for_url("**/my/subscription/")
        expect(self.page.locator("#subscription")).to_contain_text(f"{amount} a year")
        return due

    def looks_at(self, plan):
        """What a change to the plan costs; returns the plan's price."""
        self.visits("/my/subscription/")
        self.page.get_by_role("link", name="Change plan").click()
        card = self.page.locator("li.card", has_text=plan)
        amount = card.locator(".price").inner_text()
        card.get_by_role("link", name="See what it costs").click()
        expect(self.page.locator("h1")).to_contain_text(plan)
        assert not scrolls_sideways(self.page)
        return amount

    def saves_a_card(self, number):
        self.visits("/my/subscription/")
        self.page.get_by_role("button", name="Manage card and invoices").click()
        self.page.locator("#add-card").click()
        self.page.locator("#cardNumber").fill(number)
        self.page.locator("#cardExpiry").fill("12 / 40")
        self.page.locator("#cardCvc").fill("123")
        self.page.locator("#billingName").fill("A Student")
        self.page.locator("#save").click()
        self.page.locator("#return").click()
        self.page.wait_for_url("**/my/subscription/**")

    def is_asked_to_pay(self, amount):
        self.site.wait_until(lambda: self.row()["status"] == "past_due", within=60, what="the refusal")
        self.visits("/my/subscription/")
        expect(self.page.locator("#subscription .badge")).to_have_text("Payment failed")
        expect(self.page.locator(".notice--bad")).to_contain_text("or your subscription ends")
        self.page.get_by_role("link", name="Pay now").click()
        expect(self.page.locator("#pay")).to_have_text(f"Pay {amount}")

    def pays_the_open_invoice(self, amount):
        self.visits("/my/subscription/")
        self.page.get_by_role("link", name="Pay now").click()
        expect(self.page.locator("aside")).to_contain_text(amount)
        self.student.pays_by_card(WORKS)
        expect(self.page.locator("#paid")).to_be_visible()
        self.site.wait_until(lambda: self.row()["status"] == "active", within=60, what="the recovery")

    def cancels(self):
        self.visits("/my/subscription/")
        self.page.get_by_role("link", name="Cancel subscription").click()
        assert not scrolls_sideways(self.page)
        self.page.get_by_role("button", name="Cancel subscription").click()
        expect(self.page.locator("#subscription .badge")).to_contain_text("Cancelled, ends")
        expect(self.page.locator("#subscription")).to_contain_text("nothing more is charged")

    def resumes(self):
        self.page.get_by_role("button", name="Resume").click()
        expect(self.page.locator("#subscription .badge")).to_have_text("Active")

    def sees_it_ended(self, plan):
        self.site.wait_until(lambda: self.row()["status"] == "ended", within=60, what="the end")
        self.visits("/my/subscription/")
        expect(self.page.locator(".notice")).to_contain_text(f"Your subscription to {plan} ended")
        expect(self.page.get_by_role("link", name="See the plans")).to_be_visible()

    def opens_a_course_of_the_plan(self):
        [course] = self.site.query(
            "SELECT slug FROM courses_course WHERE is_in_plans AND state = 'published' ORDER BY id LIMIT 1"
        )
        self.visits(f"/courses/{course['slug']}/")
        expect(self.page.locator("main")).to_contain_text("Included in your plan")
        self.page.locator("main").get_by_role("link", name="Go to course").first.click()
        self.page.wait_for_url(f"**/my/courses/{course['slug']}/**")

    def has_paid(self, amounts):
        """The same amounts, oldest first, on the page, as orders, at Stripe, in the books and on the receipts."""
        self.site.wait_until(lambda: len(self.periods()) == len(amounts), within=60, what="the payment")
        self.visits("/my/subscription/")
        shown = self.page.locator("[aria-labelledby=paid] td[data-label=Paid]").all_inner_texts()
        assert shown[::-1] == amounts
        minors = [minor_of(amount) for amount in amounts]
        assert [period["amount_minor"] for period in self.periods()] == minors
        assert [order["total_minor"] for order in self.student.orders()] == minors
        assert [payment["amount_minor"] for payment in self.student.payments()] == minors
        assert [self.charged_for(payment) for payment in self.student.payments()] == minors
        assert [self.booked_for(order) for order in self.student.orders()] == minors
        self.page.goto(f"/my/orders/{self.student.orders()[-1]['number']}/")
        expect(self.page.locator("main")).to_contain_text(amounts[-1])
        assert not scrolls_sideways(self.page)
        receipt = self.page.request.get(f"{self.page.url}receipt.pdf")
        assert receipt.headers["content-type"] == "application/pdf"

    def gets(self, *templates):
        wanted = {f"subscriptions/mail/{template}" for template in templates}
        self.site.wait_until(
            lambda: wanted <= {mail["template"] for mail in self.site.mails_to(self.student.email)},
            within=60, what="the mails",
        )  # fmt: skip

    def row(self):
        [row] = self.site.query(
            "SELECT s.* FROM subscriptions_subscription s JOIN accounts_user u ON u.id = s.user_id WHERE u.email = %s",
            self.student.email,
        )
        return row

    def periods(self):
        """Those that cost something, in the sequence in which they were paid."""
        return self.site.query(
            "SELECT * FROM subscriptions_subscriptionperiod WHERE subscription_id = %s AND amount_minor > 0 ORDER BY id",
            self.row()["id"],
        )

    def charged_for(self, payment):
        return sum(
            charge["amount"] for charge in self.site.charges_of(payment["stripe_payment_intent_id"]) if charge["paid"]
        )

    def booked_for(self, order):
        [booked] = self.site.query(
            "SELECT sum(p.amount_minor) AS minor FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id"
            " JOIN ledger_account a ON a.id = p.account_id WHERE j.source = %s AND a.kind = 'stripe_clearing'",
            f"order:{order['number']}:settled",
        )  # fmt: skip
        return booked["minor"]

    def visits(self, path):
        self.page.goto(path)
        assert not scrolls_sideways(self.page)


def minor_of(amount):
    return int(re.sub(r"\D", "", amount))


def staff_see_it(staff, subscriber, amounts):
    row = subscriber.row()
    staff.goto(f"/admin/subscriptions/subscription/{row['id']}/change/")
    page = staff.locator("#content, main").first
    for shown in [*amounts, *(order["number"] for order in subscriber.student.orders())]:
        expect(page).to_contain_text(shown)
