"""Each list, including the admin's, makes as many queries for a hundred rows as for one."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from waffle.models import Flag, Sample, Switch

from accounts.models import User
from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.credits import agree_to_credits
from bookings.models import Availability, LessonRequest
from bookings.tests import factories as lessons
from catalogue.models import Expertise
from courses.tests.factories import enrolled_student, published_course
from integrations.tests.factories import token_of
from jobs.models import Heartbeat
from ledger.periods import close_period
from ledger.tests import test_journals as ledger
from notifications.alerts import raise_alert
from operations.emergency.taking import take_role
from pages.kinds import PageKind
from pages.publishing import publish_version
from payments.cancellations.sales import cancel_all_sold
from payments.documents.numbering import number_receipt
from payments.models import MirrorSync, Payment, Redemption, WebhookEvent
from payments.refunds.requests import request_refund_of_undeliverable
from payments.settlement import settle_payment
from payments.tests.card_factories import card_of
from payments.tests.discount_factories import code_of
from payments.tests.factories import event_of, evidence_for, session_object
from payments.tests.gift_factories import paid_gift
from payments.webhook.inbox import store_event
from subscriptions.tests.paid import paid_period
from tests.market import fill_cart, open_market, open_order, signed_in
from tests.money_rows import grow_money
from tests.retreats.factories import make_retreat
from tests.retreats.factories import sold_line as sold_stay
from tests.retreats.handler import RetreatHandler
from webhooks.tests.factories import delivery_to
from workshops.handler import WorkshopHandler
from workshops.tests.factories import make_line, make_workshop

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SIZES = (1, 10, 100)
# dj-stripe's lists are not ours, and the tests' sandbox fills none of them.
LISTED = [model for model in admin.site._registry if model._meta.app_label != "djstripe"]


def grow(market, number):
    """Add a row to every list: the same student buys a lesson, a place and a course from the same teacher."""
    teacher, student = market.teacher, market.student
    market.lesson = lessons.proposed_lesson(teacher=teacher, student=student, when=lessons.slot(days=20 + number))
    market.workshop = make_workshop(teacher=teacher, title=f"Workshop {number}")
    market.course = published_course(teacher=teacher, title=f"Course {number}")
    fill_cart(market.shopper, market)
    payment = open_order(student)
    store_event(event_of("checkout.session.completed", session_object(payment)), source="webhook")
    order, _ = settle_payment(evidence_for(payment))
    WebhookEvent.objects.filter(order=None).update(order=order)
    request_refund_of_undeliverable(order, [order.lines.last()])
    cancel_all_sold(
        domain="workshops",
        reference=str(market.workshop.pk),
        title=market.workshop.title,
        teacher_id=teacher.pk,
        reason="Ill",
        requested_by_id=teacher.user_id,
    )
    payment.refresh_from_db()
    number_receipt(order)
    use_code(order, teacher)
    grow_money(payment)
    # A person may not start more than ten purchases a minute, and not ask more than fifteen times a day. Only new rows are
    # changed: the versions left behind within a transaction would make each list slower.
    now = timezone.now()
    Payment.objects.filter(created_at__gt=now - timedelta(minutes=30)).update(created_at=now - timedelta(hours=1))
    LessonRequest.objects.filter(created_at__gt=now - timedelta(days=1)).update(created_at=now - timedelta(days=2))
    MirrorSync.objects.create(object_type="charge", object_id=f"ch_{number}")
    grow_what_is_not_sold(market, number)


def use_code(order, teacher):
    """A code of the teacher and a use of it. What it took off does not matter to lists."""
    code = code_of(percent=1, bearer=teacher)
    Redemption.objects.create(
        code=code, order=order, user=order.user, currency=order.currency, discount_minor=1, state="confirmed"
    )


def grow_what_is_not_sold(market, number):
    teacher, student = market.teacher, market.student
    lessons.proposed_lesson(teacher=teacher, student=student, when=lessons.slot(days=20 + number, hour=14))
    lessons.open_request(teacher=teacher)
    token_of(UserFactory())
    lessons.offer(teacher=teacher, subject=lessons.subject())
    Expertise.objects.create(teacher=teacher, subject=lessons.subject(), levels=["beginner"])
    WorkshopHandler().fulfil(make_line(market.busy_workshop, buyer=UserFactory()))
    enrolled_student(market.busy_course)
    RetreatHandler().fulfil(sold_stay(make_retreat(teacher=teacher), buyer=student))
    Availability.objects.create(teacher=TeacherFactory(user=UserFactory()))
    agree_to_credits(teacher=TeacherFactory(user=UserFactory()), longest_minutes=60, least_values={"GBP": 500})
    paid_period()
    paid_gift(domain="courses", reference=market.busy_course.pk)
    card_of(UserFactory())
    delivery_to(f"https://school.example/hooks/{number}")
    raise_alert(key=f"alert-{number}", title="Look", detail={})
    ledger.sale(TeacherFactory(), source=f"test:{number}")
    close_period(until=datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number), by=student)
    publish_version(kind=PageKind.HELP, text=f"Answer {number}.", by=student)
    take_role(
        user=UserFactory(is_staff=True),
        role="support",
        reason="A list with a hundred of them",
        lasting=timedelta(minutes=15),
    )
    Heartbeat.objects.create(name=f"sweep-{number}")
    Group.objects.create(name=f"group-{number}")
    for model in (Flag, Sample, Switch):
        model.objects.create(name=f"switch-{number}", **({"percent": 1} if model is Sample else {}))


def pages(market):
    """Every list: who views it, and its address."""
    student, teacher = signed_in(market.student), signed_in(market.teacher.user)
    boss = signed_in(User.objects.create_superuser("boss@example.org", "correct horse battery"))
    guest = Client()
    shared = ["/", "/browse/", "/browse/?kind=courses", f"/teachers/{market.teacher.slug}/", "/demo/mailbox/"]
    of_student = ["/my/lessons/", "/my/workshops/", "/my/courses/", "/my/retreats/", "/my/orders/"]
    of_teacher = ["/teach/", "/teach/lessons/", "/teach/lessons/offers/", "/teach/workshops/", "/teach/courses/"]
    of_teacher += [
        "/teach/earnings/",
        "/teach/payouts/",
        "/teach/discounts/",
        "/teach/retreats/",
        "/teach/subjects/",
        reverse("workshops:participants", args=[market.busy_workshop.slug]),
    ]
    of_staff = [reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in LISTED]
    return [
        *((guest, page) for page in shared),
        *((student, page) for page in [*of_student, *shared]),
        *((teacher, page) for page in of_teacher),
        *((boss, page) for page in ["/admin/", *of_staff]),
    ]


def queries_of(client, page):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page).status_code == 200, page
    return len(queries)


def test_every_list_asks_as_often_for_one_row_as_for_ten_and_a_hundred():
    market = open_market()
    market.shopper = signed_in(market.student)
    market.busy_workshop = make_workshop(teacher=market.teacher, capacity=200)
    market.busy_course = published_course(teacher=market.teacher)
    looked_at = pages(market)
    for client, page in looked_at:
        client.get(page)  # queries made once per process, such as for content types, are made now
    counted, made = {}, 0
    for size in SIZES:
        for number in range(made, size):
            grow(market, number)
        made = size
        with connection.cursor() as cursor:
            # As the database does by itself once rows are committed. Without it, it may plan for empty tables.
            cursor.execute("ANALYZE")
        for position, (client, page) in enumerate(looked_at):
            counted.setdefault((position, page), []).append(queries_of(client, page))
    few = {model._meta.label: model._base_manager.count() for model in LISTED if model._base_manager.count() < 100}
    assert few == {}, "lists that were not filled"
    assert {page: counts for (_, page), counts in counted.items() if len(set(counts)) > 1} == {}
