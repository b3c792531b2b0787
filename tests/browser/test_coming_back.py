"""Students who cancel, are too slow, never return, or return before any webhook; and other people with their links."""

import pytest
from playwright.sync_api import expect

SESSION_LIFE_SECONDS = 31 * 60


def test_a_student_who_cancels_keeps_the_cart_and_pays_later_on_the_same_page(student, mixed):
    student.fills_cart(mixed)
    total = student.total_in_cart()
    student.goes_to_payment()
    address = student.page.url
    student.page.locator("#cancel").click()
    expect(student.page.locator("main")).to_contain_text("You have not paid. Everything is still here")
    expect(student.page.locator(".cart-line")).to_have_count(3)
    assert student.total_in_cart() == total

    student.presses_pay()
    assert student.page.url == address
    student.pays_by_card()
    student.sees_paid()
    student.has_only_one_order_paid()
    assert len(student.payments()) == 1
    student.has_everything(mixed)


@pytest.fixture
def late_sandbox(site):
    """Moves the sandbox's clock forward, and resets it afterwards."""
    yield lambda seconds: site.sandbox("clock", advance=seconds)
    site.sandbox("clock", reset=True)


def test_an_expired_payment_page_frees_the_places_and_keeps_the_cart(site, student, mixed, late_sandbox):
    student.fills_cart(mixed)
    student.goes_to_payment()
    [order] = student.orders()
    assert held_by(student) == {"lessons": 1, "places": 2, "courses": 1}
    waiting = student.on_another_tab()
    waiting.page.goto(f"/my/orders/{order['number']}/")
    expect(waiting.page.locator("#order-state h1")).to_have_text("Waiting for your payment")

    late_sandbox(SESSION_LIFE_SECONDS + 60)
    expect(waiting.page.locator("#order-state h1")).to_have_text("This order was not paid")
    student.page.reload()
    expect(student.page.locator("h1")).to_have_text("This checkout session has expired")
    site.wait_until(lambda: not any(held_by(student).values()), within=30, what="places to be freed")
    waiting.page.get_by_role("link", name="Back to your cart").click()
    expect(waiting.page.locator(".cart-line")).to_have_count(3)
    assert [payment["status"] for payment in student.payments()] == ["expired"]


def test_a_student_who_never_returns_still_gets_everything(site, student, mixed):
    student.fills_cart(mixed)
    student.goes_to_payment()
    student.page.route("**/c/pay/**", drop_the_answer)
    with student.page.expect_event("requestfailed"):
        student.pays_by_card()
    student.page.close()

    site.wait_until(lambda: any(student.owns().values()), within=30, what="delivery by webhook")
    order = student.has_only_one_order_paid()
    assert site.query("SELECT 1 FROM payments_webhookevent WHERE order_id = %s AND outcome = 'settled'", order["id"])
    site.wait_until(
        lambda: [mail for mail in site.mails_to(student.email) if mail["template"].endswith("payment_confirmed")],
        within=30,
        what="the confirmation",
    )


def test_the_order_is_paid_on_return_before_webhooks_and_late_webhooks_change_nothing(site, student, mixed):
    student.fills_cart(mixed)
    site.sandbox("deliveries", mode="hold")
    student.goes_to_payment()
    student.pays_by_card()
    student.sees_paid()
    order = student.has_only_one_order_paid()
    assert not site.query("SELECT 1 FROM payments_webhookevent WHERE order_id = %s", order["id"])
    student.has_everything(mixed)

    site.sandbox("deliveries", release=True)
    site.wait_until(
        lambda: settling_events(site, order) >= {"payment_already_processed"}, within=30, what="late webhooks"
    )
    assert settling_events(site, order) == {"payment_already_processed"}
    assert student.has_only_one_order_paid() == order
    student.has_everything(mixed)

    def confirmations():
        return [mail for mail in site.mails_to(student.email) if mail["key"] == f"order:{order['number']}:paid"]

    site.wait_until(confirmations, what="the confirmation")
    assert len(confirmations()) == 1


def test_other_people_can_neither_open_an_order_nor_return_to_it(new_student, page, mixed):
    student, stranger = new_student(), new_student()
    student.adds_course(mixed.course)
    student.goes_to_payment()
    student.pays_by_card()
    student.sees_paid()
    [payment] = student.payments()
    order = f"/my/orders/{student.order_number()}/"
    back = f"/checkout/return/?session_id={payment['stripe_session_id']}"
    for address in (order, f"{order}status/", f"{order}receipt.pdf", back):
        assert stranger.page.request.get(address).status == 404
        page.goto(address)
        assert "/accounts/login/" in page.url
    assert student.page.request.get(back).status == 200


def drop_the_answer(route):
    """Let the request reach Stripe, and cut the connection before the browser gets the answer."""
    route.fetch(max_redirects=0)
    route.abort()


def held_by(student):
    [counts] = student.site.query(
        """
        SELECT (SELECT count(*) FROM bookings_lesson WHERE student_id = u.id AND state = 'held') AS lessons,
               (SELECT count(*) FROM workshops_registration WHERE buyer_id = u.id AND state = 'held') AS places,
               (SELECT count(*) FROM courses_enrolment WHERE student_id = u.id AND state = 'held') AS courses
          FROM accounts_user u WHERE u.email = %s
        """,
        student.email,
    )
    return counts


def settling_events(site, order):
    """Return the outcomes of the events that report the order's payment."""
    types = ["checkout.session.completed", "payment_intent.succeeded"]
    events = site.query(
        "SELECT outcome FROM payments_webhookevent WHERE order_id = %s AND type = ANY(%s)", order["id"], types
    )
    return {event["outcome"] for event in events}
