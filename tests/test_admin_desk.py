"""The staff's desk: the menu, the first page with what needs staff, and the search. Each shows only what a role may see."""

import re
import uuid

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from waffle.models import Switch

from accounts.applications import suspend_teacher
from accounts.models import User
from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.tests.factories import offer as lesson_offer
from courses.models import Enrolment
from courses.tests.factories import published_course
from jobs.runner import drain
from notifications.alerts import raise_alert
from notifications.models import Alert, Mail
from payments.models import BankPayout, ConnectedAccount, Payment, PayoutTransfer, Refund, WebhookEvent
from payments.switches import CheckoutClosed, refuse_when_closed
from payments.tests.conftest import sample_domain
from payments.tests.disputing import Case
from payments.tests.factories import event_of, open_order, paid_order, refunded, session_object
from payments.tests.payout_factories import approved, earn, ready_account, requested
from payments.webhook.inbox import store_event
from tests.market import open_market, signed_in
from workshops.tests.factories import make_workshop

# Every test's purchases are of the sample domain.
__all__ = ["sample_domain"]
pytestmark = pytest.mark.django_db
SEARCH = "/admin/search/"


@pytest.fixture
def boss():
    return signed_in(User.objects.create_superuser("boss@example.org", "correct horse battery"))


def staff_with(*codenames):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return signed_in(user)


def shown(client, text, **headers):
    return client.get(SEARCH, {"s": text}, headers=headers).content.decode()


def hits(client, text):
    """The addresses of the results of the page, without the menu around them."""
    page = shown(client, text)
    return re.findall(r'<a class="refund-card need" href="([^"]+)"', page)


def page_of(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


# --- The search


def test_an_order_is_found_by_its_number_in_either_case_and_by_its_beginning(boss):
    order = paid_order().order
    for text in (order.number, order.number.lower(), f"  {order.number} ", f"#{order.number}", order.number[:6]):
        assert hits(boss, text) == [page_of(order)], text


def test_a_person_is_found_by_name_and_by_email(boss):
    person = UserFactory(full_name="Nguyễn Thị Minh Khai", email="khai@school.example")
    teacher = TeacherFactory(display_name="Khai the Teacher")
    assert page_of(person) in hits(boss, "Minh Khai")
    assert page_of(person) in hits(boss, "khai@school.example")
    assert page_of(teacher) in hits(boss, "Khai the")


def test_each_id_of_stripes_leads_to_what_it_is_about(boss):
    payment = paid_order()
    Payment.objects.filter(pk=payment.pk).update(stripe_charge_id="ch_Found1")
    payment.refresh_from_db()
    order = page_of(payment.order)
    assert hits(boss, payment.stripe_payment_intent_id) == [order]
    assert hits(boss, payment.stripe_session_id) == [order]
    assert hits(boss, "ch_Found1") == [order]
    refund = refunded(paid_order())
    Refund.objects.filter(pk=refund.pk).update(stripe_refund_id="re_Found1")
    assert hits(boss, "re_Found1") == [page_of(refund)]
    dispute = Case(payment).open()
    assert hits(boss, dispute.stripe_dispute_id) == [page_of(dispute)]
    event = event_of("checkout.session.completed", session_object(open_order()), id="evt_Found1")
    store_event(event, source="webhook")
    assert len(hits(boss, "evt_Found1")) == 1


def test_payouts_are_found_by_reference_transfer_account_and_bank_payout(boss):
    payout = approved()
    PayoutTransfer.objects.filter(payout=payout).update(stripe_transfer_id="tr_Found1")
    account = ConnectedAccount.objects.get(teacher=payout.teacher)
    bank = BankPayout.objects.create(
        account=account,
        stripe_payout_id="po_Found1",
        amount_minor=9000,
        currency="GBP",
        status="paid",
        is_automatic=True,
        state_as_of=timezone.now(),
    )
    assert hits(boss, str(payout.reference)) == [page_of(payout)]
    assert hits(boss, "tr_Found1") == [page_of(payout)]
    assert hits(boss, account.stripe_account_id) == [page_of(account)]
    assert hits(boss, "po_Found1") == [page_of(bank)]


def test_the_list_below_the_box_is_a_fragment_and_the_page_says_when_nothing_is_found(boss):
    order = paid_order().order
    fragment = shown(boss, order.number, **{"HX-Request": "true"})
    assert page_of(order) in fragment
    assert "<html" not in fragment
    assert "Nothing found for “zzzz”" in shown(boss, "zzzz")
    assert shown(boss, "", **{"HX-Request": "true"}).strip() == ""


def test_pages_of_the_menu_are_found_by_their_name(boss):
    assert reverse("admin:payments_refund_changelist") in hits(boss, "refund")


def test_search_shows_only_what_a_role_may_see():
    payment = paid_order()
    nothing = staff_with()
    for text in (payment.order.number, payment.stripe_payment_intent_id, payment.order.user.email):
        assert hits(nothing, text) == [], text
    of_orders = staff_with("view_order")
    assert hits(of_orders, payment.order.number) == [page_of(payment.order)]
    assert hits(of_orders, payment.stripe_payment_intent_id) == []
    assert hits(of_orders, payment.order.user.email) == []


@pytest.mark.parametrize(
    "text", ["%", "_", "'", "pi_'; DROP", "é" * 500, "𝔘𝔫", "cus_unknown", "85961423-c9a5-4215-93e9-47a43bdc4ddc", "L%"]
)
def test_odd_texts_find_nothing_and_break_nothing(boss, text):
    paid_order()
    assert boss.get(SEARCH, {"s": text}).status_code == 200


# --- The menu


def menu_of(client):
    return client.get("/admin/").context["sidebar_navigation"]


def titles(menu):
    return {group["title"]: [item["title"] for item in group["items"]] for group in menu if group.get("title")}


def test_the_menu_is_grouped_by_task_and_each_entry_has_an_icon_of_its_own(boss):
    groups = titles(menu_of(boss))
    assert groups["Sales"] == [
        *("Orders", "Payments", "Refunds", "Disputes", "Fraud warnings", "Discount codes", "Gifts")
    ]
    assert groups["Teachers' money"] == ["Earnings", "Payouts", "Stripe accounts"]
    assert groups["People"][0] == "Applicants"
    assert "More" not in groups
    icons = [item["icon"] for group in menu_of(boss) for item in group["items"]]
    assert sum(icons.count(icon) > 1 for icon in set(icons) - {"sell"}) == 0


def test_no_form_for_a_new_row_shows_what_only_programs_read(boss):
    for model in admin.site._registry:
        page = boss.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))
        assert " object at 0x" not in page.content.decode(), model


def test_each_list_is_in_the_menu_or_in_a_tab_of_one_that_is(boss):
    page = boss.get("/admin/")
    links = {item["link"].partition("?")[0] for group in page.context["sidebar_navigation"] for item in group["items"]}
    links |= {item["link"] for tab in page.context["tab_list"] for item in tab["items"]}
    meant_to_be_hidden = {"auth.permission", "payments.mirrorsync"}
    for model in admin.site._registry:
        if model._meta.app_label != "djstripe" and model._meta.label_lower not in meant_to_be_hidden:
            assert reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") in links, model


def test_djstripes_lists_are_behind_one_entry(boss):
    links = [item["link"] for group in menu_of(boss) for item in group["items"]]
    assert [link for link in links if "djstripe" in link] == [reverse("admin:app_list", args=["djstripe"])]
    assert boss.get(reverse("admin:app_list", args=["djstripe"])).status_code == 200
    assert "djstripe/charge" not in boss.get("/admin/").content.decode()


@pytest.mark.parametrize("group", ["support", "finance", "admin"])
def test_a_role_sees_only_entries_that_open(group):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = signed_in(user)
    entries = [item["link"] for part in menu_of(client) for item in part["items"]]
    assert entries
    assert [link for link in entries if client.get(link).status_code != 200] == []


def test_the_number_of_applicants_stands_beside_them(boss):
    TeacherFactory(status="applied")
    TeacherFactory(status="applied")
    TeacherFactory()
    [entry] = [item for group in menu_of(boss) for item in group["items"] if item["title"] == "Applicants"]
    assert entry["badge"] == "2"
    listed = boss.get(entry["link"]).context["cl"].result_list
    assert {teacher.status for teacher in listed} == {"applied"}


# --- The first page


def needs_of(client):
    return {need.name: need for need in client.get("/admin/").context["needs"]}


def test_nothing_needs_staff_on_a_quiet_day(boss):
    page = boss.get("/admin/").content.decode()
    assert "Nothing needs you" in page


def test_the_first_page_lists_what_waits_with_counts_and_links_that_show_exactly_that(boss):
    TeacherFactory(status="applied")
    Case(paid_order()).open()
    teacher = TeacherFactory()
    ready_account(teacher)
    earn(teacher, 9000)
    requested(teacher)
    Alert.objects.all().delete()
    raise_alert(key="k", title="Trouble")
    Mail.objects.filter(pk__in=Mail.objects.values("pk")[:1]).update(state="parked", finished_at=timezone.now())
    needs = needs_of(boss)
    assert set(needs) >= {"applicants", "disputes", "payouts", "alerts", "notifications.Mail"}
    for need in needs.values():
        rows = boss.get(need.url).context["cl"].result_count
        assert rows == need.count == 1, need
    assert "Nothing needs you" not in boss.get("/admin/").content.decode()


def test_the_most_urgent_dispute_is_named_with_its_due_date(boss):
    dispute = Case(paid_order()).open()
    assert dispute.due_by is not None
    assert "the first by" in needs_of(boss)["disputes"].detail


def test_an_acknowledged_alert_no_longer_waits(boss):
    raise_alert(key="k", title="Trouble")
    alert = Alert.objects.get()
    boss.post(reverse("admin:notifications_alert_settle", args=[alert.pk]), {"do": "acknowledge"})
    assert "alerts" not in needs_of(boss)


def test_the_first_page_shows_a_role_only_what_it_may_see():
    TeacherFactory(status="applied")
    raise_alert(key="k", title="Trouble")
    assert needs_of(staff_with("view_alert")).keys() == {"alerts"}
    assert needs_of(staff_with()) == {}


def test_the_first_page_takes_as_many_queries_for_many_rows_as_for_one(boss):
    counts = []
    for number in (1, 10):
        for _ in range(number):
            TeacherFactory(status="applied")
            raise_alert(key=uuid.uuid4().hex, title="Trouble")
        boss.get("/admin/")
        with CaptureQueriesContext(connection) as queries:
            boss.get("/admin/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- The switches


SWITCHES = "/admin/waffle/switch/"


def test_each_switch_is_listed_by_name_with_what_it_does_and_who_turned_it(boss):
    page = boss.get(SWITCHES).content.decode()
    assert "Close the checkout" in page
    assert "Nothing can be bought" in page
    assert "Close the checkout for “Workshop”" in page
    assert not Switch.objects.exists()
    boss.post(f"{SWITCHES}turn/", {"name": "checkout-closed", "to": "on"})
    with pytest.raises(CheckoutClosed):
        refuse_when_closed(["workshops"])
    page = boss.get(SWITCHES).content.decode()
    assert "by boss@example.org" in page
    boss.post(f"{SWITCHES}turn/", {"name": "checkout-closed", "to": "off"})
    refuse_when_closed(["workshops"])
    assert LogEntry.objects.filter(change_message__contains="Turned").count() == 2


def test_only_known_switches_are_turned_and_only_by_those_who_may(boss):
    assert boss.post(f"{SWITCHES}turn/", {"name": "unknown", "to": "on"}).status_code == 404
    assert boss.get(f"{SWITCHES}turn/").status_code == 405
    watcher = staff_with("view_switch")
    assert watcher.get(SWITCHES).status_code == 200
    assert "Turn on" not in watcher.get(SWITCHES).content.decode()
    assert watcher.post(f"{SWITCHES}turn/", {"name": "checkout-closed", "to": "on"}).status_code == 403
    assert not Switch.objects.filter(active=True).exists()


def test_a_switch_that_no_code_asks_for_is_still_listed(boss):
    Switch.objects.create(name="left-over", active=True)
    assert "left-over" in boss.get(SWITCHES).content.decode()


# --- The link to the site


def shows_link_to_site(client, row):
    page = client.get(page_of(row)).content.decode()
    return "View on site" in page


def test_view_on_site_is_offered_only_for_what_visitors_can_open(boss):
    teacher = TeacherFactory()
    workshop = make_workshop(teacher=teacher)
    course = published_course(teacher=teacher)
    offer = lesson_offer(teacher=teacher)
    guest = Client()
    for row in (teacher, workshop, course, offer):
        assert shows_link_to_site(boss, row), row
        assert guest.get(row.get_absolute_url()).status_code == 200, row
    suspend_teacher(teacher=teacher, by=User.objects.get(email="boss@example.org"), note="A complaint.")
    for row in (teacher, workshop, course, offer):
        assert not shows_link_to_site(boss, row), row
    draft = make_workshop(teacher=TeacherFactory(), is_published=False)
    assert not shows_link_to_site(boss, draft)
    assert not shows_link_to_site(boss, paid_order().order)


# --- Words


def test_lists_of_what_was_bought_link_to_the_order(boss):
    market = open_market()
    enrolment = Enrolment.objects.get(course=market.course)
    for row in (enrolment, market.lesson):
        listed = boss.get(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_changelist")).content.decode()
        shown_page = boss.get(page_of(row)).content.decode()
        for page in (listed, shown_page):
            assert page_of(market.order) in page, row
            assert market.order.number in page, row


def test_events_are_listed_in_words(boss):
    payment = open_order()
    store_event(event_of("checkout.session.completed", session_object(payment)), source="webhook")
    drain(WebhookEvent, seconds=5)
    rows = boss.get("/admin/payments/webhookevent/").content.decode().partition("<tbody")[2].rpartition("</tbody>")[0]
    assert "Payment page completed" in rows
    assert "The order was completed." in rows
    assert "checkout.session" not in re.sub(r'"[^"]*"', "", rows)


@pytest.mark.parametrize("app", ["accounts", "workshops", "courses", "payments"])
def test_no_page_shows_a_tuple(boss, app):
    TeacherFactory(status="applied")
    refunded(paid_order())
    Case(paid_order()).open()
    open_market()
    for model in admin.site._registry:
        if model._meta.app_label == app and (row := model._base_manager.first()):
            assert "(&#x27;" not in boss.get(page_of(row)).content.decode(), model


@pytest.mark.parametrize("query", ["state__exact=%00", "state__exact=x%00", "o=%00", "q=%00", "p=%00", "%00=1"])
def test_nul_in_an_address_is_refused_on_every_list(boss, query):
    for model in admin.site._registry:
        if model._meta.app_label != "djstripe":
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            assert boss.get(f"{address}?{query}").status_code == 400, address


def test_an_empty_list_says_what_is_missing_and_how_to_see_the_rest(boss):
    assert "No orders yet" in boss.get("/admin/payments/order/").content.decode()
    searched = boss.get("/admin/payments/order/", {"q": "zzz"}).content.decode()
    assert "No orders match “zzz”" in searched
    assert "Show all orders" in searched
