"""For every operation of the document, a request that succeeds, in a world of its own, and who may make it.

A new endpoint needs a scene here; with it, it is tried as every role, without its scope, beyond its limit, and, if it
takes a key, with the connection cut after every byte.
"""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import requests
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import UserFactory
from bookings.credits import agree_to_credits
from bookings.tests import factories as lessons
from courses.models import Enrolment
from courses.tests.factories import published_course
from payments.cancellations.lines import offer_cancellation, terms_for_student
from payments.cart import add_to_cart
from payments.checkout import start_checkout
from payments.contracts import Item
from payments.models import Cart
from payments.pricing import price_cart
from payments.settlement import settle_payment
from payments.tests.card_factories import save_card
from payments.tests.discount_factories import code_of
from payments.tests.factories import evidence_for, open_order
from payments.tests.gift_factories import code as code_of_gift
from payments.tests.gift_factories import paid_gift
from payments.tests.payout_factories import requested, teacher_with
from payments.tests.stripe_sandbox import StripeSandbox
from subscriptions.tests.factories import make_plan, make_price
from subscriptions.tests.paid import paid_period, subscription_with_credits
from subscriptions.tests.subscribing import Subscriber
from webhooks.endpoints import create_endpoint, send_test
from workshops.models import Registration
from workshops.tests.factories import make_workshop


class Access(Enum):
    """Who may call an operation."""

    OPEN = "everyone"
    OWN = "everyone who is signed in, about themselves"
    TEACHERS = "teachers, about themselves"
    OWNED = "the people to whom the object in the address belongs"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The request, and who makes it. `also` are others who find the object."""

    caller: User
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    also: tuple[User, ...] = ()


SCENES: dict[str, tuple[Access, Callable[[], Scene]]] = {}


def scene(operation, access):
    def register(make):
        assert operation not in SCENES
        SCENES[operation] = (access, make)
        return make

    return register


def reads(access, *operations):
    """Operations that need nothing but a caller."""
    for operation in operations:
        scene(operation, access)(lambda: Scene(caller=UserFactory()))


reads(Access.OPEN, "subjects", "teachers", "listings")
reads(Access.OWN, "cart", "orders", "payment_methods", "history")
reads(Access.OWN, "lesson_requests", "lessons", "workshop_registrations", "enrolments")


# --- The catalogue


@scene("teacher", Access.OPEN)
def one_teacher():
    return Scene(caller=UserFactory(), path={"slug": teacher_with(0).slug})


@scene("listing", Access.OPEN)
def one_listing():
    return Scene(caller=UserFactory(), path={"domain": "courses", "reference": str(published_course().pk)})


@scene("test_commission", Access.OPEN)
def a_commission():
    return Scene(caller=UserFactory(), query={"amount": "12.50"})


@scene("validate_discount", Access.OPEN)
def a_code():
    item = {"domain": "courses", "reference": str(published_course().pk)}
    return Scene(caller=UserFactory(), body={"code": code_of(percent=10).code, "items": [item]})


@scene("gift_redeem", Access.OWN)
def a_gift():
    gift = paid_gift(reference=published_course().pk, domain="courses")
    return Scene(caller=UserFactory(), body={"code": code_of_gift(gift)})


# --- The cart, and paying


def student_with_course():
    """A student who has a course in the cart."""
    student, course = UserFactory(), published_course()
    item = Item(domain="courses", reference=str(course.pk), quantity=1)
    add_to_cart(item, buyer_id=student.pk, cart=None, currency="GBP")
    return student


def open_payment():
    return open_order(cart=Cart.objects.get(user=student_with_course()))


def paid_payment():
    payment = open_payment()
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    return payment


@scene("cart_line_add", Access.OWN)
def adding_to_the_cart():
    course = published_course()
    return Scene(caller=UserFactory(), body={"domain": "courses", "reference": str(course.pk), "quantity": 1})


@scene("cart_line_change", Access.OWNED)
def changing_a_line():
    student = student_with_course()
    return Scene(caller=student, path={"line_id": student.cart.lines.get().pk}, body={"quantity": 1})


@scene("cart_line_remove", Access.OWNED)
def removing_a_line():
    student = student_with_course()
    return Scene(caller=student, path={"line_id": student.cart.lines.get().pk})


@scene("create_checkout_session", Access.OWN)
def checking_out():
    course = published_course()
    items = [{"domain": "courses", "reference": str(course.pk), "quantity": 1}]
    return Scene(caller=UserFactory(), body={"items": items})


@scene("verify_status", Access.OWNED)
def a_payment():
    payment = open_payment()
    return Scene(caller=payment.order.user, path={"session_id": payment.stripe_session_id})


@scene("handle_failure", Access.OWN)
def a_failure():
    payment = open_payment()
    return Scene(caller=payment.order.user, body={"session_id": payment.stripe_session_id})


@contextmanager
def sandbox():
    """The sandbox that is Stripe for the tests of every operation."""
    known = StripeSandbox.__new__(StripeSandbox)
    with requests.Session() as http:
        http.auth = (settings.STRIPE_SECRET_KEY, "")
        known.url, known.http = settings.STRIPE_API_HOST, http
        yield known


def saved_card():
    with sandbox() as stripe:
        return save_card(stripe)


@scene("process_payment", Access.OWN)
def paying_with_a_saved_card():
    card = saved_card()
    items = [{"domain": "courses", "reference": str(published_course().pk), "quantity": 1}]
    body = {"payment_method": card.stripe_payment_method_id, "items": items}
    return Scene(caller=card.customer.user, body=body)


@scene("payment_method_remove", Access.OWNED)
@scene("payment_method_default", Access.OWNED)
def one_saved_card():
    card = saved_card()
    return Scene(caller=card.customer.user, path={"method_id": card.stripe_payment_method_id})


# --- Subscriptions

reads(Access.OPEN, "plans")
reads(Access.OWN, "subscriptions")


@scene("subscription", Access.OWNED)
@scene("cancel_subscription", Access.OWNED)
def subscribed():
    """A subscription that Stripe knows. People without one find nothing."""
    with sandbox() as stripe:
        subscriber = Subscriber(stripe)
        subscriber.subscribe()
    return Scene(caller=subscriber.user)


@scene("create_subscription", Access.OWN)
def subscribing():
    return Scene(caller=UserFactory(), body={"price": make_price(make_plan(grants_courses=True)).pk})


# --- Orders


@scene("order", Access.OWNED)
def one_order():
    order = open_payment().order
    return Scene(caller=order.user, path={"number": order.number})


@scene("order_cancel", Access.OWNED)
def cancelling_an_order():
    """An order whose page is open at Stripe, where it must be closed."""
    student = student_with_course()
    cart = Cart.objects.get(user=student)
    payment = start_checkout(user=student, cart=cart, agreed_digest=price_cart(cart).digest)
    return Scene(caller=student, path={"number": payment.order.number})


@scene("order_receipt", Access.OWNED)
def a_receipt():
    order = paid_payment().order
    return Scene(caller=order.user, path={"number": order.number})


@scene("line_cancellation", Access.OWNED)
def an_offer():
    line = paid_payment().order.lines.get()
    return Scene(caller=line.order.user, path={"line_id": line.pk})


@scene("line_cancel", Access.OWNED)
def accepting_an_offer():
    line = paid_payment().order.lines.get()
    now = timezone.now()
    keys = [place.key for place in terms_for_student(line, at=now).places]
    offer = offer_cancellation(line=line, keys=keys, at=now)
    body = {"places": keys, "digest": offer.digest}
    return Scene(caller=line.order.user, path={"line_id": line.pk}, body=body)


# --- Earnings and payouts


@scene("balance", Access.TEACHERS)
def a_balance():
    return Scene(caller=teacher_with(0).user)


@scene("payouts", Access.TEACHERS)
def the_payouts():
    return Scene(caller=teacher_with(0).user)


@scene("payout_request", Access.TEACHERS)
def requesting_a_payout():
    return Scene(caller=teacher_with().user, body={"currency": "GBP", "amount": "10"})


@scene("payout", Access.OWNED)
def one_payout():
    payout = requested()
    return Scene(caller=payout.teacher.user, path={"reference": payout.reference})


# --- Webhooks


def webhook(event="order.paid"):
    endpoint, _ = create_endpoint(user=UserFactory(), url="https://school.example/hooks", event_types=[event])
    return endpoint


def of_webhook(**more):
    endpoint = webhook()
    return Scene(caller=endpoint.user, path={"endpoint_id": endpoint.pk}, **more)


reads(Access.OWN, "webhook_endpoints")
for name in ("webhook_endpoint", "webhook_endpoint_delete", "webhook_endpoint_test", "webhook_deliveries"):
    scene(name, Access.OWNED)(of_webhook)


@scene("webhook_endpoint_make", Access.OWN)
def making_an_endpoint():
    body = {"url": "https://school.example/hooks", "event_types": ["order.paid"]}
    return Scene(caller=UserFactory(), body=body)


@scene("webhook_endpoint_change", Access.OWNED)
def changing_an_endpoint():
    return of_webhook(body={"description": "Ours"})


@scene("webhook_endpoint_secret", Access.OWNED)
def replacing_a_secret():
    return of_webhook(body={"is_leaked": True})


@scene("webhook_endpoint_replay", Access.OWNED)
def sending_again():
    return of_webhook(body={"since": "2026-01-01T00:00:00Z"})


@scene("webhook_delivery", Access.OWNED)
@scene("webhook_delivery_replay", Access.OWNED)
def one_delivery():
    delivery = send_test(webhook().pk)
    return Scene(caller=delivery.endpoint.user, path={"delivery_id": delivery.pk})


# --- Lessons, workshops and courses


@scene("lesson_request_make", Access.OWN)
def requesting_lessons():
    taught = lessons.subject()
    teacher = lessons.teacher_of(taught)
    body = {"teacher": teacher.slug, "subject": taught.slug, "level": "beginner", "goals": "A song", "region": "GB"}
    return Scene(caller=UserFactory(), body=body)


@scene("lesson_request", Access.OWNED)
def one_request():
    request = lessons.open_request()
    return Scene(caller=request.student, path={"request_id": request.pk})


@scene("lesson_request_withdraw", Access.OWNED)
def withdrawing_a_request():
    return one_request()


@scene("lesson", Access.OWNED)
def one_lesson():
    lesson = lessons.proposed_lesson()
    return Scene(caller=lesson.student, also=(lesson.teacher.user,), path={"lesson_id": lesson.pk})


@scene("lesson_use_credit", Access.OWNED)
def using_a_lesson_credit():
    lesson = lessons.proposed_lesson()
    agree_to_credits(teacher=lesson.teacher, longest_minutes=60, least_values={"GBP": 500})
    paid_period(subscription_with_credits(lesson.student))
    return Scene(caller=lesson.student, path={"lesson_id": lesson.pk})


# --- A teacher's desk


@scene("participants", Access.TEACHERS)
@scene("sales", Access.TEACHERS)
@scene("teaching_requests", Access.TEACHERS)
def the_desk():
    return Scene(caller=teacher_with(0).user)


@scene("teaching_request", Access.OWNED)
def one_request_to_a_teacher():
    request = lessons.open_request()
    return Scene(caller=request.teacher.user, path={"request_id": request.pk})


@scene("teaching_request_accept", Access.OWNED)
def accepting_a_request():
    slot = lessons.slot()
    slots = [{"starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()}]
    scene = one_request_to_a_teacher()
    return replace(scene, body={"slots": slots, "currency": "GBP", "amount": "40"})


@scene("teaching_request_decline", Access.OWNED)
def declining_a_request():
    return replace(one_request_to_a_teacher(), body={"note": "I am full until spring."})


@scene("lesson_withdraw", Access.OWNED)
def withdrawing_a_lesson():
    lesson = lessons.proposed_lesson()
    return Scene(caller=lesson.teacher.user, path={"lesson_id": lesson.pk})


@scene("lesson_cancel", Access.OWNED)
def cancelling_a_lesson():
    lesson = lessons.proposed_lesson()
    item = Item(domain="private_teaching", reference=str(lesson.pk), quantity=1)
    add_to_cart(item, buyer_id=lesson.student_id, cart=None, currency="GBP")
    settle_payment(evidence_for(open_order(cart=lesson.student.cart)))
    return Scene(caller=lesson.teacher.user, path={"lesson_id": lesson.pk}, body={"reason": "I am ill."})


@scene("workshop_registration", Access.OWNED)
def a_ticket():
    student, workshop = UserFactory(), make_workshop()
    item = Item(domain="workshops", reference=str(workshop.pk), quantity=1)
    add_to_cart(item, buyer_id=student.pk, cart=None, currency="GBP")
    settle_payment(evidence_for(open_order(cart=student.cart)))
    return Scene(caller=student, path={"code": Registration.objects.get(buyer=student).code})


def enrolled():
    return Enrolment.objects.get(student=paid_payment().order.user)


@scene("enrolment", Access.OWNED)
def one_enrolment():
    enrolment = enrolled()
    return Scene(caller=enrolment.student, path={"enrolment_id": enrolment.pk})


@scene("course_lesson_done", Access.OWNED)
def finishing_a_lesson():
    enrolment = enrolled()
    lesson = enrolment.course.modules.get().lessons.get()
    return Scene(caller=enrolment.student, path={"enrolment_id": enrolment.pk, "lesson_id": lesson.pk})
