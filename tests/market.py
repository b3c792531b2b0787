"""A small market for tests that span apps: one person of each role, one of each thing sold, bought as students buy."""

import uuid
from types import SimpleNamespace

from django.contrib.auth.models import Group
from django.test import Client

from accounts.roles import ROLES
from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.tests import factories as lessons
from catalogue.models import Expertise
from courses.models import CourseLesson, Module, QuizQuestion
from courses.tests.factories import published_course
from integrations.tests.factories import token_of
from money import Money
from payments.checkout import _prepare
from payments.documents.numbering import number_credit_note
from payments.models import Cart, CartDiscount, Payment
from payments.pricing import price_cart
from payments.refunds.plan import OverAllLines
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.card_factories import card_of
from payments.tests.discount_factories import code_of
from payments.tests.factories import evidence_for, refund_object, refunded
from payments.tests.gift_factories import paid_gift
from payments.tests.payout_factories import earn, ready_account, requested
from webhooks.endpoints import send_test
from webhooks.tests.factories import endpoint_at
from workshops.models import Registration
from workshops.tests.factories import make_workshop


def signed_in(user, **options):
    client = Client(**options)
    client.force_login(user)
    return client


def open_order(user):
    """Take a person's cart to a session that is open at Stripe; returns its payment."""
    cart = Cart.objects.get(user=user)
    prepared = _prepare(user=user, cart=cart, agreed_digest=price_cart(cart).digest)
    payment = Payment.objects.get(pk=prepared.payment_id)
    payment.stripe_session_id = f"cs_test_{uuid.uuid4().hex}"
    payment.session_url = f"http://127.0.0.1/c/pay/{payment.stripe_session_id}"
    payment.status = Payment.Status.OPEN
    payment.save()
    return payment


def member_of_staff(group):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


def open_market():
    """One student who owns one of everything, one teacher who sells all of it, and uninvolved people.

    The course's file lesson names a file that does not exist; `settings.PRIVATE_MEDIA_ROOT` says where it would be.
    """
    teacher, student = TeacherFactory(), UserFactory()
    taught = lessons.subject()
    market = SimpleNamespace(
        teacher=teacher,
        student=student,
        other_teacher=TeacherFactory(),
        other_student=UserFactory(),
        staff={group: member_of_staff(group) for group in ROLES},
        expertise=Expertise.objects.create(teacher=teacher, subject=taught, levels=["beginner"]),
        offer=lessons.offer(teacher=teacher, subject=taught),
        open_request=lessons.open_request(student=student, teacher=teacher),
        proposed=lessons.proposed_lesson(teacher=teacher, student=student, when=lessons.slot(days=12)),
        lesson=lessons.proposed_lesson(teacher=teacher, student=student),
        workshop=make_workshop(teacher=teacher),
        course=published_course(teacher=teacher, lessons=2, kinds=("quiz", "file")),
    )
    market.module = Module.objects.get(course=market.course)
    market.quiz, market.file = CourseLesson.objects.filter(module=market.module).order_by("position")
    CourseLesson.objects.filter(pk=market.quiz.pk).update(is_free_preview=True)
    market.question = QuizQuestion.objects.get(lesson=market.quiz)
    market.order = buy_everything(market)
    market.ticket = Registration.objects.get(order_line_id__in=market.order.lines.values("pk"))
    market.token = token_of(student)
    market.webhook_endpoint = endpoint_at(user=student)
    send_test(market.webhook_endpoint.pk)
    market.card = card_of(student)
    ready_account(teacher)
    earn(teacher, 9000)
    market.payout = requested(teacher)
    # A second lesson stays in the cart.
    signed_in(student).post(f"/my/lessons/requests/{market.proposed.request_id}/buy/", {"lesson": market.proposed.pk})
    market.cart_line = student.cart.lines.get()
    # It has ended, so that it changes no price.
    market.discount_code = code_of(percent=10, bearer=teacher, is_active=False)
    CartDiscount.objects.create(cart=student.cart, code=market.discount_code)
    return market


def open_market_with_gift():
    """The same market, whose student has also given the course away."""
    market = open_market()
    market.gift = paid_gift(reference=market.course.pk, domain="courses", giver=market.student, is_alone=True)
    return market


def buy_everything(market):
    fill_cart(signed_in(market.student), market)
    market.payment = open_order(market.student)
    return settle_payment(evidence_for(market.payment))[0]


def credit_note_of(payment):
    """Refund a penny of every pound, and number the document about it."""
    payment.refresh_from_db()
    refund = refunded(payment, OverAllLines(Money(payment.amount_minor // 100, payment.currency)))
    record_refund(read_refund(refund_object(refund, status="succeeded")))
    refund.refresh_from_db()
    return number_credit_note(refund)


def fill_cart(client, market):
    """Post the three forms that fill a cart: a lesson, a place and a course."""
    client.post(f"/my/lessons/requests/{market.lesson.request_id}/buy/", {"lesson": market.lesson.pk})
    client.post(f"/workshops/{market.workshop.slug}/add/", {"quantity": 1})
    client.post(f"/courses/{market.course.slug}/cart/")
