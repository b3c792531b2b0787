"""Teachers and staff cancel lessons, workshops and courses: every purchase is refunded in full, once, and no more."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connections
from django.utils import timezone

from accounts.roles import may, roles
from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.models import Lesson
from courses.models import Course, Enrolment
from courses.publishing import CannotPublish, close_course, publish_course
from courses.tests.factories import published_course
from jobs.invariants import broken, installed_invariants
from jobs.models import DurableWork
from jobs.runner import claim, drain, run
from notifications.delivery import render
from notifications.models import Alert, Mail
from payments.cancellations.lines import cancel_for_student, offer_cancellation
from payments.cancellations.sales import progress_of
from payments.models import Cart, LineCancellation, OrderLine, Payment, Refund, SaleCancellation
from payments.outcomes import record_expiry
from payments.refunds.plan import LinePart, OfLines
from payments.settlement import record_processing, settle_payment
from payments.tests.disputing import Case
from payments.tests.factories import evidence_for, refunded
from tests.market import open_market, open_order, signed_in
from workshops.cancelling import cancel_workshop
from workshops.models import Registration, Workshop
from workshops.publishing import NotReadyToPublish, publish_workshop
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db


def buy_places(workshop, quantity=1, *, user=None):
    """A paid order for places; returns its line."""
    user = user or UserFactory()
    return settle_payment(evidence_for(pay_for_places(workshop, quantity, user=user)))[0].lines.get()


def pay_for_places(workshop, quantity=1, *, user):
    """An order whose payment page is open."""
    signed_in(user).post(f"/workshops/{workshop.slug}/add/", {"quantity": quantity})
    return open_order(user)


def cancel(workshop, *, by=None):
    by = by or workshop.teacher.user
    return cancel_workshop(workshop=workshop, reason="The oven broke.", requested_by_id=by.pk)


def work_through(*, seconds=60):
    return drain(LineCancellation, seconds=seconds)


# --- Lessons -------------------------------------------------------------------------------------------------------
def test_a_teacher_cancels_a_lesson_with_a_full_refund():
    market = open_market()
    tomorrow = timezone.now() + timedelta(hours=5)
    Lesson.objects.filter(pk=market.lesson.pk).update(period=(tomorrow, tomorrow + timedelta(hours=1)))
    teacher = signed_in(market.teacher.user)
    address = f"/teach/lessons/{market.lesson.pk}/cancel/"
    assert address in teacher.get(f"/my/lessons/{market.lesson.pk}/").content.decode()
    page = teacher.get(address).content.decode()
    assert "£40.00" in page
    assert teacher.post(address, {"reason": " "}).status_code == 400
    assert not Refund.objects.exists()
    answer = teacher.post(address, {"reason": "I am ill"}, follow=True).content.decode()
    assert f"The lesson is cancelled. {market.student.display_name} gets £40.00 back." in answer
    market.lesson.refresh_from_db()
    line = market.order.lines.get(domain="private_teaching")
    assert (market.lesson.state, market.lesson.cancel_reason) == ("cancelled", "Cancelled by the teacher: I am ill")
    assert (line.state, line.refunded_minor, Refund.objects.get().reason) == ("revoked", 4000, "teacher_cancelled")
    mail = Mail.objects.get(template="payments/mail/line_cancelled_by_teacher")
    assert (mail.user, mail.context["amount"], mail.context["reason"]) == (market.student, "£40.00", "I am ill")
    teacher.post(address, {"reason": "I am ill"})
    assert Refund.objects.count() == 1
    assert broken(installed_invariants()) == {}


def test_a_lesson_of_which_nothing_is_left_to_refund_is_not_called_refunded():
    market = open_market()
    line = market.order.lines.get(domain="private_teaching")
    refunded(market.order.payments.get(), OfLines([LinePart(line_id=line.pk, keeps_places=True)]))
    teacher, address = signed_in(market.teacher.user), f"/teach/lessons/{market.lesson.pk}/cancel/"
    page = teacher.get(address).content.decode()
    assert "Nothing of it is left to refund." in page
    assert "Cancel the lesson and refund it" not in page
    answer = teacher.post(address, {"reason": "I am ill"}, follow=True).content.decode()
    assert "The lesson is cancelled. Nothing is left to refund." in answer
    assert Mail.objects.get(template="payments/mail/line_cancelled_by_teacher").context["amount"] == ""


def test_a_lesson_that_is_disputed_is_called_disputed():
    market = open_market()
    payment = market.order.payments.get()
    Case(payment).open()
    teacher, address = signed_in(market.teacher.user), f"/teach/lessons/{market.lesson.pk}/cancel/"
    page = teacher.get(address).content.decode()
    assert "Students dispute" in page
    assert "left to refund" not in page
    answer = teacher.post(address, {"reason": "Cancelled by the teacher: ill"}, follow=True).content.decode()
    assert f"{market.student.display_name} disputes £40.00 with their bank" in answer
    market.lesson.refresh_from_db()
    assert market.lesson.cancel_reason == "Cancelled by the teacher: ill"


def test_nothing_is_called_refunded_of_a_workshop_or_course_that_no_one_bought():
    workshop, course = make_workshop(), published_course()
    address = f"/teach/workshops/{workshop.slug}/cancel/"
    teacher = signed_in(workshop.teacher.user)
    assert "refund everyone" not in teacher.get(address).content.decode()
    answer = teacher.post(address, {"reason": "Snow"}, follow=True).content.decode()
    assert f"“{workshop.title}” is cancelled." in answer
    assert "money back" not in answer
    address = f"/teach/courses/{course.pk}/close/"
    teacher = signed_in(course.teacher.user)
    assert "refund everyone" not in teacher.get(address).content.decode()
    answer = teacher.post(address, {"reason": "Out of date"}, follow=True).content.decode()
    assert f"“{course.title}” is closed." in answer
    assert "money back" not in answer


def test_the_teachers_mail_names_refunds_only_if_there_were_any():
    workshop = make_workshop()
    line = buy_places(workshop)
    refunded(line.order.payments.get(), OfLines([LinePart(line_id=line.pk, keeps_places=True)]))
    cancel(workshop)
    work_through()
    mail = Mail.objects.get(template="payments/mail/sale_cancelled")
    assert (mail.context["total"], mail.context["refunded"]) == (1, 0)
    assert "There was nothing to refund; each student gets an email about it." in render(mail).text


def test_only_a_lessons_own_teacher_can_cancel_it():
    market = open_market()
    address = f"/teach/lessons/{market.lesson.pk}/cancel/"
    assert signed_in(market.other_teacher.user).post(address, {"reason": "x"}).status_code == 404
    assert signed_in(market.student).post(address, {"reason": "x"}).status_code == 302
    market.lesson.refresh_from_db()
    assert market.lesson.state == "confirmed"


# --- Workshops -----------------------------------------------------------------------------------------------------
def test_everyone_is_refunded_once_and_the_teacher_sees_how_far_it_is():
    workshop = make_workshop()
    lines = [buy_places(workshop, quantity) for quantity in (1, 2, 3)]
    teacher = signed_in(workshop.teacher.user)
    address = f"/teach/workshops/{workshop.slug}/cancel/"
    page = teacher.get(address).content.decode()
    assert "6 places in 3 orders" in page
    assert "£270.00" in page
    teacher.post(address, {"reason": "The oven\nbroke."})
    assert "0 of 3 orders cancelled" in teacher.get(address).content.decode()
    assert work_through() == 3
    assert "3 of 3 orders cancelled" in teacher.get(address).content.decode()
    assert [refund.amount_minor for refund in Refund.objects.order_by("amount_minor")] == [4500, 9000, 13_500]
    for line in lines:
        line.refresh_from_db()
        assert (line.state, line.refunded_minor) == ("revoked", line.amount_minor)
    assert set(Registration.objects.values_list("state", flat=True)) == {"revoked"}
    assert Mail.objects.filter(template="payments/mail/line_cancelled_by_teacher").count() == 3
    [mail] = Mail.objects.filter(user=workshop.teacher.user, template="payments/mail/sale_cancelled")
    assert (mail.context["total"], mail.context["failed"], mail.context["reason"]) == (3, 0, "The oven broke.")
    assert not Mail.objects.filter(template="workshops/mail/registration_revoked").exists()
    assert broken(installed_invariants()) == {}


def test_a_repeat_refunds_nothing_twice():
    workshop = make_workshop()
    buy_places(workshop)
    first = cancel(workshop)
    assert cancel(workshop) == first
    work_through()
    assert cancel(workshop) == first
    work = LineCancellation.objects.get()
    work.retry_now()
    work_through()
    assert Refund.objects.count() == 1
    assert Refund.objects.get().amount_minor == 4500


def test_a_killed_worker_resumes():
    workshop = make_workshop()
    for _ in range(3):
        buy_places(workshop)
    cancel(workshop)
    [work] = claim(LineCancellation, limit=1)
    run(work)
    # Claimed by a worker that was killed: due again when its lease has ended.
    [lost] = claim(LineCancellation, limit=1)
    assert work_through() == 1
    LineCancellation.objects.filter(pk=lost.pk).update(run_after=timezone.now())
    assert work_through() == 1
    assert Refund.objects.count() == 3
    # The killed worker was only slow: what it does after all changes nothing.
    run(lost)
    assert Refund.objects.count() == 3
    assert Mail.objects.filter(template="payments/mail/sale_cancelled").count() == 1


def test_a_place_that_a_student_had_cancelled_for_half_stays_at_half():
    workshop = make_workshop(starts_in=timedelta(days=3))
    line = buy_places(workshop, 2)
    sold = OrderLine.objects.select_related("order").get(pk=line.pk)
    code = Registration.objects.filter(order_line_id=line.pk).first().code
    digest = offer_cancellation(line=sold, keys=[code], at=timezone.now()).digest
    cancel_for_student(line_id=line.pk, keys=[code], digest=digest)
    cancel(workshop)
    work_through()
    line.refresh_from_db()
    assert (line.state, line.refunded_minor) == ("revoked", 2250 + 4500)


def test_a_cancelled_workshop_shows_as_cancelled_everywhere():
    workshop = make_workshop()
    student = UserFactory()
    line = buy_places(workshop, user=student)
    ticket = Registration.objects.get(order_line_id=line.pk)
    cancel(workshop)
    client, teacher = signed_in(student), signed_in(workshop.teacher.user)
    for is_worked_through in (False, True):
        if is_worked_through:
            work_through()
        for address in ("/my/workshops/", f"/my/workshops/{ticket.code}/", workshop.get_absolute_url()):
            page = client.get(address).content.decode()
            assert "ancelled" in page, address
            assert "The oven broke." in page, address
        calendar = client.get(f"/my/workshops/{ticket.code}/calendar/").content.decode()
        assert "STATUS:CANCELLED" in calendar
        assert "Cancelled" in teacher.get("/teach/workshops/").content.decode()
    assert "Cancelled" in client.get(line.order.get_absolute_url()).content.decode()
    assert workshop.title not in client.get("/browse/").content.decode()


def test_a_cancelled_workshop_cannot_be_bought_changed_or_put_on_sale_again():
    workshop = make_workshop()
    teacher = signed_in(workshop.teacher.user)
    cancel(workshop)
    with pytest.raises(NotReadyToPublish, match="cancelled"):
        publish_workshop(workshop=workshop)
    teacher.post(f"/teach/workshops/{workshop.slug}/publish/")
    teacher.post(f"/teach/workshops/{workshop.slug}/withdraw/")
    assert Workshop.objects.get(pk=workshop.pk).state == "cancelled"
    student = UserFactory()
    signed_in(student).post(f"/workshops/{workshop.slug}/add/", {"quantity": 1})
    assert not Cart.objects.filter(user=student, lines__domain="workshops").exists()


@pytest.mark.parametrize("is_debit", [False, True])
def test_a_payment_that_arrives_after_the_cancellation_is_refunded_by_itself(is_debit):
    workshop = make_workshop()
    payment = pay_for_places(workshop, user=UserFactory())
    if is_debit:
        record_processing(evidence_for(payment))
    cancel(workshop)
    order, _ = settle_payment(evidence_for(payment))
    line = order.lines.get()
    assert (line.state, line.refunded_minor) == ("undeliverable", 4500)
    assert "cancelled before the payment arrived" in line.state_reason
    assert work_through() == 0
    assert broken(installed_invariants()) == {}


def test_an_open_payment_page_that_expires_after_the_cancellation_changes_nothing():
    workshop = make_workshop()
    payment = pay_for_places(workshop, user=UserFactory())
    cancel(workshop)
    record_expiry(payment)
    assert set(Registration.objects.values_list("state", flat=True)) == {"released"}


def test_a_line_that_cannot_be_refunded_is_given_up_with_an_alert_and_listed():
    workshop = make_workshop()
    good, unclear = buy_places(workshop), buy_places(workshop)
    payment = Payment.objects.get(order=unclear.order)
    Refund.objects.create(payment=payment, amount_minor=100, currency="GBP", reason="made_at_stripe")
    cancellation = cancel(workshop)
    work_through()
    progress = progress_of(cancellation)
    assert (progress.total, progress.done, progress.failed, progress.is_finished) == (2, 1, 1, True)
    assert Alert.objects.filter(key__startswith="line-cancellation-parked").count() == 1
    page = signed_in(workshop.teacher.user).get(f"/teach/workshops/{workshop.slug}/cancel/").content.decode()
    assert unclear.order.number in page
    assert good.order.number not in page
    assert Mail.objects.get(template="payments/mail/sale_cancelled").context["failed"] == 1


def test_a_refund_that_fails_later_counts_as_failed():
    workshop = make_workshop()
    buy_places(workshop)
    cancellation = cancel(workshop)
    work_through()
    Refund.objects.update(status="failed", ended_at=timezone.now())
    progress = progress_of(cancellation)
    assert (progress.done, progress.failed) == (0, 1)


def test_only_its_own_teacher_cancels_a_workshop_and_never_a_draft():
    workshop = make_workshop()
    address = f"/teach/workshops/{workshop.slug}/cancel/"
    assert signed_in(TeacherFactory().user).post(address, {"reason": "x"}).status_code == 404
    draft = make_workshop(teacher=workshop.teacher, is_published=False)
    signed_in(workshop.teacher.user).post(f"/teach/workshops/{draft.slug}/cancel/", {"reason": "x"})
    assert set(Workshop.objects.values_list("state", flat=True)) == {"published", "draft"}


def staff(*codenames):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return person


def test_staff_cancel_a_workshop_in_the_admin_with_a_permission_of_its_own():
    workshop = make_workshop()
    buy_places(workshop)
    posted = {"action": "cancel_chosen", "_selected_action": [workshop.pk]}
    address = "/admin/workshops/workshop/"
    signed_in(staff("view_workshop", "change_workshop")).post(address, {**posted, "confirmed": "1", "reason": "x"})
    assert Workshop.objects.get(pk=workshop.pk).state == "published"
    person = staff("view_workshop", "cancel_workshop", "view_salecancellation", "view_linecancellation")
    client = signed_in(person)
    page = client.post(address, posted).content.decode()
    assert "1 place in 1 order, to refund: £45.00" in page
    assert Workshop.objects.get(pk=workshop.pk).state == "published"
    client.post(address, {**posted, "confirmed": "1", "reason": ""})
    assert Workshop.objects.get(pk=workshop.pk).state == "published"
    client.post(address, {**posted, "confirmed": "1", "reason": "The venue closed"})
    cancellation = SaleCancellation.objects.get()
    assert (cancellation.requested_by, cancellation.reason) == (person, "The venue closed")
    work_through()
    page = client.get(cancellation.get_admin_url()).content.decode()
    assert "1 of 1 orders cancelled" in page
    assert client.get("/admin/payments/linecancellation/").status_code == 200


def test_support_may_not_cancel_and_so_refund_a_workshop():
    permissions = {name: may(role, "workshops.cancel_workshop") for name, role in roles().items()}
    assert permissions == {"support": False, "finance": True, "admin": True}
    assert all(may(role, "workshops.view_workshop") for role in roles().values())


# --- Courses -------------------------------------------------------------------------------------------------------
def buy_course(course, *, user=None):
    return settle_payment(evidence_for(pay_for_course(course, user=user or UserFactory())))[0].lines.get()


def pay_for_course(course, *, user):
    signed_in(user).post(f"/courses/{course.slug}/cart/")
    return open_order(user)


def test_a_closed_course_is_taken_from_everyone_and_refunded():
    course = published_course()
    lines = [buy_course(course) for _ in range(2)]
    Enrolment.objects.update(activated_at=timezone.now() - timedelta(days=100))
    late = pay_for_course(course, user=UserFactory())
    teacher = signed_in(course.teacher.user)
    address = f"/teach/courses/{course.pk}/close/"
    assert "2 places in 2 orders" in teacher.get(address).content.decode()
    teacher.post(address, {"reason": "It is out of date"})
    assert work_through() == 2
    for line in lines:
        line.refresh_from_db()
        assert (line.state, line.refunded_minor) == ("revoked", line.amount_minor)
    assert settle_payment(evidence_for(late))[0].lines.get().state == "undeliverable"
    assert not Enrolment.objects.active().exists()
    assert not Mail.objects.filter(template="courses/mail/enrolment_revoked").exists()
    assert Course.objects.get(pk=course.pk).is_closed
    with pytest.raises(CannotPublish, match="closed"):
        publish_course(course_id=course.pk)
    assert "2 of 2 orders cancelled" in teacher.get(address).content.decode()
    assert broken(installed_invariants()) == {}


# --- Races ---------------------------------------------------------------------------------------------------------
def at_once(*functions):
    barrier = threading.Barrier(len(functions), timeout=20)

    def start(function):
        try:
            barrier.wait()
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result() for future in [pool.submit(start, function) for function in functions]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(4))
def test_a_payment_at_the_moment_of_the_cancellation_is_refunded_whichever_is_first(_round):
    workshop = make_workshop()
    payment = pay_for_places(workshop, user=UserFactory())
    at_once(lambda: cancel(workshop), lambda: settle_payment(evidence_for(payment)))
    work_through()
    line = OrderLine.objects.get(order=payment.order)
    assert line.state in ("revoked", "undeliverable")
    assert line.refunded_minor == line.amount_minor
    assert Refund.objects.count() == 1
    assert broken(installed_invariants()) == {}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(4))
def test_a_payment_at_the_moment_a_course_is_closed_is_refunded_whichever_is_first(_round):
    course = published_course()
    payment = pay_for_course(course, user=UserFactory())
    close = {"course_id": course.pk, "reason": "Old", "requested_by_id": course.teacher.user_id}
    at_once(lambda: close_course(**close), lambda: settle_payment(evidence_for(payment)))
    work_through()
    line = OrderLine.objects.get(order=payment.order)
    assert line.state in ("revoked", "undeliverable")
    assert line.refunded_minor == line.amount_minor
    assert broken(installed_invariants()) == {}


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_two_clicks_refund_each_line_once_and_report_once():
    workshop = make_workshop()
    for _ in range(6):
        buy_places(workshop)
    first, second = at_once(lambda: cancel(workshop), lambda: cancel(workshop))
    assert first == second
    assert sum(at_once(work_through, work_through)) == 6
    assert Refund.objects.count() == 6
    assert LineCancellation.objects.filter(state=DurableWork.State.DONE).count() == 6
    assert Mail.objects.filter(template="payments/mail/sale_cancelled").count() == 1
