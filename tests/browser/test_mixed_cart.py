"""A guest becomes a student and buys one of everything Lectern sells: one cart, one account, one payment."""

import re
from datetime import datetime, timedelta
from uuid import uuid4

from playwright.sync_api import expect

from demo.accounts import TEACHER
from tests.browser.shopper import PASSWORD, Shopper

NAME = f"Nora {uuid4().hex[:6]}"
EMAIL = f"{NAME.lower().replace(' ', '-')}@journeys.example"
# The teachers of the workshop, the lesson and the course.
TEACHERS = ("luc@demo.example", TEACHER.email, "kenji@demo.example")


def test_a_guest_fills_a_mixed_cart_signs_up_pays_and_gets_everything_without_reloading(site, open_page, sign_in):
    guest = Shopper(site, open_page(), EMAIL)
    puts_two_places_and_a_course_into_the_cart(guest)
    signs_up_from_the_cart(guest)
    follows_the_link_that_verifies_the_address(site, guest)
    asks_elena_for_lessons(guest)
    teacher = open_page()
    sign_in(teacher, "teacher")
    elena_proposes_a_time(teacher)
    accepts_the_proposal(guest)

    mails_before = site.query("SELECT coalesce(max(id), 0) AS id FROM notifications_mail")[0]["id"]
    guest.goes_to_payment()
    guest.pays_by_card()
    guest.sees_paid()

    order = guest.has_only_one_order_paid()
    number = guest.order_number()
    assert order["number"] == number
    assert order["total_minor"] == 2 * workshop_price(site) + 2900 + 3800
    everyone_gets_their_mails(site, mails_before)
    mails_can_be_read_in_the_mailbox(guest.page, number)
    guest.has_everything(Bought)
    staff = open_page()
    sign_in(staff, "staff")
    staff_find_order_event_and_mails(site, staff, number)


class Bought:
    workshop = "A Day at the Oven"
    course = "Kana in Two Weeks"


def puts_two_places_and_a_course_into_the_cart(guest):
    page = guest.page
    page.goto("/")
    page.get_by_role("link", name=Bought.workshop).first.click()
    page.get_by_label("Places").select_option("2")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("status")).to_contain_text("is in your cart")
    page.get_by_role("searchbox").fill("kana")
    page.keyboard.press("Enter")
    page.locator("main").get_by_role("link", name=Bought.course).click()
    page.get_by_role("button", name="Add to cart").click()
    page.wait_for_url("**/cart/")


def signs_up_from_the_cart(guest):
    page = guest.page
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Email", exact=True).fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/cart/")
    expect(page.locator(".cart-line")).to_have_count(2)


def follows_the_link_that_verifies_the_address(site, guest):
    """Requests mail a student's text to teachers, so only students with a verified address may make them."""
    page = guest.page
    site.wait_until(lambda: site.mails_to(EMAIL), within=20, what="the mail that verifies the address")
    [mail] = [mail for mail in site.mails_to(EMAIL) if "email_confirmation" in mail["template"]]
    page.goto(re.search(r"/accounts/confirm-email/[^\s/]+/", mail["text_body"])[0])
    page.locator("main").get_by_role("button", name="Confirm").click()
    page.wait_for_load_state()


def asks_elena_for_lessons(guest):
    page = guest.page
    page.goto("/teachers/elena-marchetti/")
    page.get_by_role("link", name=re.compile("^(Ask|Request)")).first.click()
    page.get_by_label("Subject").select_option(label="Italian")
    page.get_by_label("What would you like to achieve?").fill("I would like to order coffee in Trieste.")
    page.get_by_label("Where you are").select_option("GB")
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("#messages")).to_contain_text("Your request is with Elena Marchetti")
    guest.request_id = re.search(r"/requests/(\d+)/", page.url)[1]


def elena_proposes_a_time(page):
    page.goto("/teach/lessons/")
    page.get_by_role("link", name=NAME).first.click()
    # An odd minute in the far future, at which no other test has a lesson.
    page.get_by_label("Time 1").fill(f"{datetime.now() + timedelta(days=90):%Y-%m-%dT18:05}")
    page.get_by_label("Price of each lesson").fill("38.00")
    page.get_by_label("Currency").select_option("GBP")
    page.get_by_role("button", name="Send proposal").click()
    expect(page.locator("#messages")).to_contain_text(f"Your proposal is on its way to {NAME}")


def accepts_the_proposal(guest):
    page = guest.page
    page.goto("/my/lessons/")
    page.locator(f"main a[href='/my/lessons/requests/{guest.request_id}/']").first.click()
    page.locator("input[name=lesson]").check()
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator(".cart-line")).to_have_count(3)


def workshop_price(site):
    """The current price of one place in pence: the early-bird price while the demo's data is new."""
    [price] = site.query(
        """
        SELECT CASE WHEN early_bird_until > now() THEN early_bird_amount_minor ELSE amount_minor END AS minor
          FROM workshops_workshopprice p JOIN workshops_workshop w ON w.id = p.workshop_id
         WHERE w.title = %s AND currency = 'GBP'
        """,
        Bought.workshop,
    )
    return price["minor"]


def everyone_gets_their_mails(site, mails_before):
    """The student and each teacher get their mails; `benchmarks/` measures how soon."""
    sent = site.wait_until(
        lambda: have_mails(site, mails_before, {EMAIL, *TEACHERS}), within=30, what="mails to student and teachers"
    )
    about = {(mail["to"], mail["template"].partition("/")[0]) for mail in sent}
    # One mail has everything that was bought.
    [confirmation] = [mail for mail in sent if mail["to"] == EMAIL and "confirmed" in mail["template"]]
    assert confirmation["template"] == "payments/mail/payment_confirmed"
    for words in ("Your lesson is booked", "You are registered for", "You are enrolled in"):
        assert words in confirmation["text_body"]
    assert about >= set(zip(TEACHERS, ("workshops", "bookings", "courses"), strict=True))


def have_mails(site, mails_before, people):
    mails = site.query('SELECT * FROM notifications_mail WHERE id > %s AND "to" = ANY(%s)', mails_before, [*people])
    is_complete = {mail["to"] for mail in mails} == people and all(mail["sent_at"] for mail in mails)
    return mails if is_complete else None


def mails_can_be_read_in_the_mailbox(page, number):
    page.goto("/demo/mailbox/")
    for address in (EMAIL, *TEACHERS):
        expect(page.locator("tbody tr", has_text=address).first).to_contain_text("sent")
    page.get_by_role("link", name=f"Paid: your order {number}").click()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text(Bought.course)


def events_of(site, number):
    return site.query(
        "SELECT e.* FROM payments_webhookevent e JOIN payments_order o ON o.id = e.order_id WHERE o.number = %s", number
    )


def staff_find_order_event_and_mails(site, page, number):
    """Staff find the order, its lines, the payment, the events with payload and attempts, and the mails."""
    site.wait_until(lambda: len(events_of(site, number)) == 2, what="the second event about the payment")
    page.goto(f"/admin/payments/order/?q={number}")
    page.get_by_role("link", name=number).click()
    [order] = site.query("SELECT * FROM payments_order WHERE number = %s", number)
    [payment] = site.query("SELECT * FROM payments_payment WHERE order_id = %s", order["id"])
    for title, quantity in ((Bought.workshop, "2"), (Bought.course, "1"), ("Italian", "1")):
        row = page.get_by_role("row", name=title).filter(has=page.get_by_role("cell", name="Delivered"))
        expect(row.get_by_role("cell", name=quantity, exact=True)).to_have_count(1)
    expect(page.locator(f"a[href$='{payment['stripe_payment_intent_id']}']").first).to_be_visible()
    for event in events_of(site, number):
        expect(page.locator(f"a[href='/admin/payments/webhookevent/{event['id']}/change/']").first).to_be_visible()

    [event] = [event for event in events_of(site, number) if event["type"] == "checkout.session.completed"]
    page.goto(f"/admin/payments/webhookevent/{event['id']}/change/")
    expect(page.locator("pre")).to_contain_text(payment["stripe_session_id"])
    # By this event, or by the waiting page that asked Stripe just before it came.
    expect(page.get_by_text(re.compile("the order was completed", re.IGNORECASE)).first).to_be_visible()

    page.goto(f"/admin/notifications/mail/?q={EMAIL}")
    row = page.get_by_role("row", name=number)
    expect(row.get_by_text("Sent").first).to_be_visible()
