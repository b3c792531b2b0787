"""Staff refund exactly what they saw, once: forms sent twice, made stale, or confirmed by two at the same time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from jobs.invariants import broken
from money import Money
from notifications.models import Alert
from payments.invariants import INVARIANTS
from payments.models import Refund
from payments.refunds.decisions import (
    AlreadyRequested,
    request_previewed_refund,
)
from payments.refunds.plan import LinePart, OfLines, OverAllLines, RefundRefused, WholeOrder
from payments.refunds.preview import preview_of_request
from payments.revocation import revoke_units
from payments.tests.factories import client_of, open_order, paid_order, refunded, staff_in
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_refund_effects import changes, stripe_says

pytestmark = pytest.mark.django_db


def pounds(minor):
    return Money(minor, "GBP")


def page_of(payment):
    return f"/admin/payments/order/{payment.order_id}/refund/"


def opened(client, payment, query=""):
    """The answers with which the form opens, and the digest of its preview."""
    context = client.get(page_of(payment) + query).context
    preview = context.get("preview")
    return dict(context["form"].data) | {"seen": preview.digest if preview else ""}


def sent(client, payment, answers, do="refund", query=""):
    return client.post(page_of(payment) + query, {**answers, "do": do}, follow=True)


def figures(refund):
    parts = refund.allocations.order_by("line__amount_minor")
    return [(part.amount_minor, part.fee_minor, part.share_minor, part.quantity) for part in parts]


def name(line):
    return f"line{line.pk}"


# The page


def test_a_whole_order_is_refunded_in_two_clicks(finance):
    payment = paid_order(2500, 1500)
    page = finance.get(page_of(payment)).content.decode()
    for figure in ("£40.00", "£36.00", "£4.00", "£25.00", "£22.50", "£2.50", "Give the sample back"):
        assert figure in page
    assert "Nothing more of the payment can be refunded afterwards." in page
    answer = sent(finance, payment, opened(finance, payment))
    assert "The refund of £40.00 is requested" in answer.content.decode()
    refund = Refund.objects.get()
    assert figures(refund) == [(1500, 150, 1350, 1), (2500, 250, 2250, 1)]
    assert refund.requested_by == User.objects.get(groups__name="finance")
    assert (refund.reason, refund.status) == ("goodwill", "requested")


def test_one_line_is_refunded_in_two_clicks_and_the_order_page_links_to_it(finance):
    payment = paid_order(2500, 1500)
    line = payment.order.lines.get(amount_minor=1500)
    order_page = finance.get(f"/admin/payments/order/{payment.order_id}/change/").content.decode()
    assert f"{page_of(payment)}?line={line.pk}" in order_page
    answers = opened(finance, payment, f"?line={line.pk}")
    assert sent(finance, payment, answers | {"note": "Rained off"}).status_code == 200
    refund = Refund.objects.get()
    assert figures(refund) == [(1500, 150, 1350, 1)]
    assert changes(refund) == [("requested", "Rained off")]


def test_places_and_amounts_are_chosen_per_line_and_previewed_before_they_are_refunded(finance):
    payment = paid_order(1000, 3000, quantity=3)
    cheap, dear = payment.order.lines.order_by("amount_minor")
    answers = opened(finance, payment) | {
        f"{name(cheap)}_what": "places",
        f"{name(cheap)}_places": "2",
        f"{name(dear)}_what": "amount",
        f"{name(dear)}_amount": "5.00",
        f"{name(dear)}_places": "1",
    }
    preview = sent(finance, payment, answers, do="preview").context["preview"]
    assert not Refund.objects.exists()
    by_line = {part.line.pk: (part.amount, part.share, part.fee, part.quantity) for part in preview.parts}
    assert by_line == {
        cheap.pk: (pounds(2000), pounds(1800), pounds(200), 2),
        dear.pk: (pounds(500), pounds(450), pounds(50), 1),
    }
    assert preview.remaining == pounds(9500)
    sent(finance, payment, answers | {"seen": preview.digest})
    assert figures(Refund.objects.get()) == [(2000, 200, 1800, 2), (500, 50, 450, 1)]


def test_a_refund_may_leave_the_student_what_they_bought(finance):
    payment = paid_order(1000, quantity=2)
    line = payment.order.lines.get()
    answers = opened(finance, payment)
    del answers[f"{name(line)}_takes_back"]
    shown = sent(finance, payment, answers, do="preview")
    assert "The student keeps it." in shown.content.decode()
    sent(finance, payment, answers | {"seen": shown.context["preview"].digest})
    refund = Refund.objects.get()
    assert figures(refund) == [(2000, 200, 1800, 0)]
    stripe_says(refund, "succeeded")
    assert SAMPLE.revoked == {}


def test_an_amount_is_spread_over_all_lines(finance):
    payment = paid_order(2500, 1500)
    answers = opened(finance, payment) | {"how": "spread", "spread_amount": "16.00"}
    digest = sent(finance, payment, answers, do="preview").context["preview"].digest
    sent(finance, payment, answers | {"seen": digest})
    assert figures(Refund.objects.get()) == [(600, 60, 540, 0), (1000, 100, 900, 0)]


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("-5", "cannot be negative"),
        ("0", "must be more than zero"),
        ("25.01", "£25.01 is more than the £25.00 that remains"),
        ("1.001", "can be read in two ways"),
        ("1e30", "digits 0 to 9"),
        ("€5", "you typed €"),
        ("5 EUR", "you typed EUR"),
        ("NaN", "Enter an amount in GBP"),
        ("", "Enter the amount"),
    ],
)
@pytest.mark.parametrize("field", ["line", "spread"])
def test_an_impossible_amount_gets_a_clear_error_and_changes_nothing(finance, typed, word, field):
    payment = paid_order(2500)
    answers = opened(finance, payment)
    line = payment.order.lines.get()
    answers |= (
        {f"{name(line)}_what": "amount", f"{name(line)}_amount": typed}
        if field == "line"
        else {"how": "spread", "spread_amount": typed}
    )
    for do in ("preview", "refund"):
        page = sent(finance, payment, answers, do=do).content.decode()
        assert word in page
        assert "Refund £" not in page
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("4", "Only 3 can be returned"),
        ("-1", "cannot be negative"),
        ("1.5", "whole number"),
        ("0", "Enter how many places"),
        ("two", "whole number"),
    ],
)
def test_an_impossible_number_of_places_gets_a_clear_error(finance, typed, word):
    payment = paid_order(1000, quantity=3)
    line = payment.order.lines.get()
    answers = opened(finance, payment) | {f"{name(line)}_what": "places", f"{name(line)}_places": typed}
    assert word in sent(finance, payment, answers).content.decode()
    assert not Refund.objects.exists()


def test_what_the_page_does_not_show_is_not_checked(finance):
    payment = paid_order(2500)
    line = payment.order.lines.get()
    answers = opened(finance, payment) | {f"{name(line)}_amount": "-5", "spread_amount": "rubbish"}
    sent(finance, payment, answers)
    assert figures(Refund.objects.get()) == [(2500, 250, 2250, 1)]


def test_nothing_chosen_an_unpaid_order_and_a_refunded_order_say_so(finance):
    payment = paid_order(2500)
    nothing = opened(finance, payment) | {f"{name(payment.order.lines.get())}_what": "nothing"}
    assert "Choose at least one line." in sent(finance, payment, nothing).content.decode()
    unpaid = open_order()
    assert "Nothing was paid for order" in finance.get(page_of(unpaid)).content.decode()
    refunded(payment)
    assert "Nothing is left to refund." in finance.get(page_of(payment)).content.decode()
    assert Refund.objects.count() == 1


def test_an_amount_finer_than_its_currency_is_refunded_says_so(finance):
    payment = paid_order(12340, currency="KWD")
    line = payment.order.lines.get()
    answers = opened(finance, payment) | {f"{name(line)}_what": "amount", f"{name(line)}_amount": "1.001"}
    assert "in steps of" in sent(finance, payment, answers).content.decode()
    assert not Refund.objects.exists()


def test_forged_fields_of_other_lines_and_orders_change_nothing(finance):
    payment, other = paid_order(2500), paid_order(9900)
    foreign = other.order.lines.get()
    answers = opened(finance, payment) | {f"{name(foreign)}_what": "all", f"{name(foreign)}_takes_back": "on"}
    sent(finance, payment, answers)
    assert figures(Refund.objects.get()) == [(2500, 250, 2250, 1)]
    assert finance.get("/admin/payments/order/999999999999/refund/").status_code == 404
    for odd in ("?line=%00", "?again=%F0", "?again=99999999999999999999", "?line=x&again=-1"):
        assert finance.get(page_of(other) + odd).status_code in (200, 400)


@pytest.mark.parametrize("groups", [("support",), ()])
def test_support_and_staff_without_a_group_may_not_refund(groups):
    payment = paid_order(2500)
    client = client_of(staff_in(*groups))
    assert client.get(page_of(payment)).status_code in (302, 403)
    assert client.post(page_of(payment), {"do": "refund"}).status_code in (302, 403)
    page = client.get(f"/admin/payments/order/{payment.order_id}/change/").content.decode()
    assert page_of(payment) not in page
    assert not Refund.objects.exists()


def test_admins_may_refund_and_students_may_not():
    payment = paid_order(2500)
    client = client_of(staff_in("admin"))
    sent(client, payment, opened(client, payment))
    assert Refund.objects.count() == 1
    assert client_of(payment.order.user).get(page_of(payment)).status_code in (302, 403, 404)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("full", {"full"}),
        ("part", {"part", "part and more"}),
        ("under_way", {"under way", "part and more"}),
        ("failed", {"failed"}),
        ("none", {"failed", "never"}),
    ],
)
def test_orders_are_filtered_by_how_far_they_are_refunded(finance, query, expected):
    orders = {
        name: paid_order(2500, 1500) for name in ("full", "part", "part and more", "under way", "failed", "never")
    }
    stripe_says(refunded(orders["full"]), "succeeded")
    stripe_says(refunded(orders["part"], OverAllLines(pounds(100))), "succeeded")
    stripe_says(refunded(orders["part and more"], OverAllLines(pounds(100))), "succeeded")
    refunded(orders["part and more"], OverAllLines(pounds(100)))
    refunded(orders["under way"])
    stripe_says(refunded(orders["failed"]), "failed")
    shown = finance.get("/admin/payments/order/", {"refunds": query}).context["cl"].result_list
    numbers = {payment.order.number: name for name, payment in orders.items()}
    assert {numbers[order.number] for order in shown} == expected


def test_an_orders_page_takes_the_same_number_of_queries_for_1_and_10_refunds(finance):
    payment, counts = paid_order(2500, 1500), []
    for more in (1, 9):
        for _ in range(more):
            stripe_says(refunded(payment, OverAllLines(pounds(200))), "succeeded")
        finance.get(f"/admin/payments/order/{payment.order_id}/change/")
        with CaptureQueriesContext(connection) as queries:
            finance.get(f"/admin/payments/order/{payment.order_id}/change/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_history_says_who_why_what_and_stripes_reason(finance):
    payment = paid_order(1000, quantity=3)
    ruth = User.objects.create_user("ruth@example.org", full_name="Ruth Adeyemi")
    line = payment.order.lines.get()
    refund = refunded(
        payment, OfLines([LinePart(line_id=line.pk, quantity=2)]), note="Rained off", requested_by_id=ruth.pk
    )
    stripe_says(refund, "pending", pending_reason="insufficient_funds")
    stripe_says(refund, "succeeded")
    page = finance.get(f"/admin/payments/order/{payment.order_id}/change/").content.decode()
    for words in (
        "Ruth Adeyemi",
        "Rained off",
        "insufficient_funds: our balance at Stripe is too low",
        "student £20.00",
        "gives back £18.00, platform £2.00; 2 of 3 returned",
        "2 samples given back",
        "£10.00 of £30.00 can be refunded",
    ):
        assert words in page
    student_page = client_of(payment.order.user).get(payment.order.get_absolute_url()).content.decode()
    assert "2 of 3 cancelled" in student_page
    assert "Rained off" not in student_page


def test_places_that_a_cancellation_took_back_are_not_announced_again(finance):
    payment = paid_order(1000, quantity=3)
    line = payment.order.lines.get()
    revoke_units(line=line, quantity=1, reason="Cancelled.")
    answers = opened(finance, payment) | {f"{name(line)}_what": "places"}
    for number, words in (("1", "taken back already"), ("2", "Give the sample back: 1 of 3.")):
        page = sent(finance, payment, answers | {f"{name(line)}_places": number}, do="preview").content.decode()
        assert words in page


# Sent twice, and stale


def test_a_form_sent_twice_is_one_refund(finance):
    payment = paid_order(2500, 1500)
    line = payment.order.lines.get(amount_minor=1500)
    answers = opened(finance, payment, f"?line={line.pk}")
    sent(finance, payment, answers)
    page = sent(finance, payment, answers).content.decode()
    assert "This form was sent before: £15.00 was refunded with it, and nothing more now." in page
    assert Refund.objects.count() == 1
    # Nor does another amount in the same form, for example after going back in the browser.
    other = answers | {f"{name(payment.order.lines.get(amount_minor=2500))}_what": "all"}
    assert "This form was sent before" in sent(finance, payment, other).content.decode()
    assert Refund.objects.count() == 1


def test_a_form_made_stale_by_another_refund_is_refused_and_keeps_its_answers(finance):
    payment = paid_order(2500, 1500)
    line = payment.order.lines.get(amount_minor=2500)
    answers = opened(finance, payment, f"?line={line.pk}") | {"note": "She was ill"}
    refunded(payment, OverAllLines(pounds(400)))
    stale = sent(finance, payment, answers)
    page = stale.content.decode()
    assert "has changed what remains" in page
    assert "She was ill" in page
    assert stale.context["preview"].total == pounds(2250)
    assert Refund.objects.count() == 1
    sent(finance, payment, answers | {"seen": stale.context["preview"].digest})
    assert figures(Refund.objects.latest("pk")) == [(2250, 225, 2025, 1)]


def test_a_form_whose_line_was_refunded_meanwhile_says_so(finance):
    payment = paid_order(2500, 1500)
    line = payment.order.lines.get(amount_minor=2500)
    answers = opened(finance, payment, f"?line={line.pk}")
    refunded(payment, OfLines([LinePart(line_id=line.pk)]))
    page = sent(finance, payment, answers).content.decode()
    assert "has changed what remains" in page
    assert Refund.objects.count() == 1


def test_a_form_changed_after_its_preview_is_previewed_again(finance):
    payment = paid_order(2500)
    line = payment.order.lines.get()
    answers = opened(finance, payment) | {f"{name(line)}_what": "amount", f"{name(line)}_amount": "20"}
    shown = sent(finance, payment, answers)
    assert "You changed the form." in shown.content.decode()
    assert not Refund.objects.exists()
    sent(finance, payment, answers | {"seen": shown.context["preview"].digest})
    assert Refund.objects.get().amount == pounds(2000)


def at_the_same_moment(*calls):
    """Run the calls with a connection each; returns their results, refusals included."""
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait(20)
        try:
            return call()
        except RefundRefused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def asks_for(payment, wanted, person, *, key=None):
    seen = preview_of_request(payment.order, wanted).digest
    request_key = key or uuid4().hex

    def ask():
        return request_previewed_refund(
            order_id=payment.order_id,
            wanted=wanted,
            seen=seen,
            reason=Refund.Reason.GOODWILL,
            note="",
            request_key=request_key,
            by_id=person.pk,
        )

    return ask


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wanted", [WholeOrder(), OverAllLines(pounds(1000))])
def test_of_two_staff_who_refund_at_once_one_wins_and_the_other_is_told(wanted):
    payment, ada, bob = paid_order(2500, 1500), staff_in("finance"), staff_in("finance")
    done = at_the_same_moment(asks_for(payment, wanted, ada), asks_for(payment, wanted, bob))
    assert sorted(type(each).__name__ for each in done) in (
        ["PreviewOutdated", "Refund"],
        ["Refund", "RefundExceedsRemaining"],
    )
    assert Refund.objects.count() == 1
    assert broken(INVARIANTS) == {}


@pytest.mark.django_db(transaction=True)
def test_a_double_click_is_one_refund():
    payment, ada = paid_order(2500, 1500), staff_in("finance")
    ask = asks_for(payment, OverAllLines(pounds(1000)), ada, key="pressed")
    done = at_the_same_moment(ask, ask, ask)
    assert sorted(type(each).__name__ for each in done) == ["AlreadyRequested", "AlreadyRequested", "Refund"]
    assert {each.refund if isinstance(each, AlreadyRequested) else each for each in done} == {Refund.objects.get()}


# Made again


def test_a_failed_refund_is_made_again_with_its_answers_and_clears_the_alert(finance):
    payment = paid_order(1000, quantity=3)
    line = payment.order.lines.get()
    failed = refunded(payment, OfLines([LinePart(line_id=line.pk, amount=pounds(700), quantity=2)]), note="Ill")
    stripe_says(failed, "failed", failure_reason="lost_or_stolen_card")
    alert = Alert.objects.get(key=f"refund-failed:{failed.pk}", cleared_at=None)
    query = f"?again={failed.pk}"
    assert alert.detail["page"] == page_of(payment) + query
    assert page_of(payment) + query in finance.get(f"/admin/payments/order/{payment.order_id}/change/").content.decode()
    answers = opened(finance, payment, query)
    assert answers["note"] == "Ill"
    sent(finance, payment, answers, query=query)
    again = Refund.objects.latest("pk")
    assert figures(again) == figures(failed) == [(700, 70, 630, 2)]
    alert.refresh_from_db()
    assert alert.cleared_at
