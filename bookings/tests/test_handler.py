from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.models import Lesson
from bookings.proposals import ProposalRefused, withdraw_proposal
from bookings.tests import factories as make
from bookings.tests.factories import handler
from money import Money
from notifications.models import Mail
from payments.contracts import CannotDeliver, Item, NotForSale, SoldOut

pytestmark = pytest.mark.django_db
State = Lesson.State


def state_of(lesson):
    lesson.refresh_from_db()
    return lesson.state


def quote(lesson, buyer_id="owner"):
    buyer_id = lesson.student_id if buyer_id == "owner" else buyer_id
    return handler.quote([Item(domain="private_teaching", reference=str(lesson.pk))], buyer_id)[0]


def let_hold_lapse(lesson):
    Lesson.objects.filter(pk=lesson.pk).update(held_until=timezone.now() - timedelta(seconds=1))


def test_a_quote_states_price_time_and_policy():
    lesson = make.proposed_lesson(student=UserFactory(time_zone="Asia/Tokyo"), price=Money(5_000, "JPY"))
    offered = quote(lesson)
    assert offered.unit_prices == {"JPY": Money(5_000, "JPY")}
    assert offered.quantity_limit == 1
    assert offered.policy == {"full_refund_hours": 48, "half_refund_hours": 24}
    assert "19:00–20:00 JST" in offered.description
    assert offered.teacher_id == lesson.teacher_id


@pytest.mark.parametrize("reference", ["", "abc", "-1", "0", "1.0", "１", "\x00", "9" * 18, "9" * 40, " 1"])
def test_a_malformed_reference_is_not_for_sale(reference):
    answers = handler.quote([Item(domain="private_teaching", reference=reference)], UserFactory().pk)
    assert isinstance(answers[0], NotForSale)


def test_other_students_and_guests_are_refused_with_a_reason():
    lesson = make.proposed_lesson()
    assert "not proposed to you" in str(quote(lesson, UserFactory().pk))
    assert "sign in" in str(quote(lesson, None))


def test_one_bad_item_does_not_affect_the_others_and_the_order_is_kept():
    lesson = make.proposed_lesson()
    items = [Item(domain="private_teaching", reference=ref) for ref in ("x", str(lesson.pk), "999999999")]
    answers = handler.quote(items, lesson.student_id)
    assert [isinstance(answer, NotForSale) for answer in answers] == [True, False, True]


def test_quoting_takes_as_many_queries_for_ten_lessons_as_for_one(django_assert_num_queries):
    student, teacher = UserFactory(), TeacherFactory()
    lessons = [
        lesson
        for hour in range(5)
        for lesson in make.proposed_lessons(
            make.slot(hour=hour), make.slot(hour=hour, days=11), student=student, teacher=teacher
        )
    ]
    items = [Item(domain="private_teaching", reference=str(lesson.pk)) for lesson in lessons]
    assert len(items) == 10
    for some in (items[:1], items):
        with django_assert_num_queries(1):
            assert not any(isinstance(answer, NotForSale) for answer in handler.quote(some, student.pk))


def test_a_slot_held_or_sold_to_another_is_refused_before_paying():
    teacher = TeacherFactory()
    first, second = (make.proposed_lesson(teacher=teacher) for _ in range(2))
    handler.reserve(make.sold_line(first), make.soon())
    assert "taken" in str(quote(second))
    assert not isinstance(quote(first), NotForSale), "the student's own hold does not count"
    with pytest.raises(SoldOut):
        handler.reserve(make.sold_line(second), make.soon())
    assert state_of(second) == State.PROPOSED


def test_lessons_that_follow_each_other_directly_are_both_sold():
    teacher = TeacherFactory()
    for hour in (10, 11):
        make.confirmed_lesson(teacher=teacher, when=make.slot(hour=hour))
    assert Lesson.objects.filter(state=State.CONFIRMED).count() == 2


def test_two_teachers_may_teach_at_the_same_time():
    make.confirmed_lesson()
    make.confirmed_lesson()
    assert Lesson.objects.filter(state=State.CONFIRMED).count() == 2


def test_reserving_again_moves_the_end_of_the_hold():
    lesson = make.proposed_lesson()
    line = make.sold_line(lesson)
    handler.reserve(line, make.soon(30))
    later = make.soon(90)
    handler.reserve(line, later)
    lesson.refresh_from_db()
    assert (lesson.held_until, lesson.order_line_id) == (later, line.id)


def test_another_student_can_take_the_slot_of_a_lapsed_hold():
    teacher = TeacherFactory()
    first, second = (make.proposed_lesson(teacher=teacher) for _ in range(2))
    handler.reserve(make.sold_line(first), make.soon())
    let_hold_lapse(first)
    assert not isinstance(quote(second), NotForSale)
    handler.reserve(make.sold_line(second), make.soon())
    assert state_of(first) == State.PROPOSED
    assert first.order_line_id is None
    assert state_of(second) == State.HELD


def test_a_lapsed_hold_is_still_delivered_if_the_slot_is_free():
    lesson = make.proposed_lesson()
    line = make.sold_line(lesson)
    handler.reserve(line, make.soon())
    let_hold_lapse(lesson)
    handler.fulfil(line)
    assert state_of(lesson) == State.CONFIRMED


def test_a_payment_after_the_slot_went_to_another_student_cannot_be_delivered():
    teacher = TeacherFactory()
    first, second = (make.proposed_lesson(teacher=teacher) for _ in range(2))
    late = make.sold_line(first)
    handler.reserve(late, make.soon())
    let_hold_lapse(first)
    handler.reserve(make.sold_line(second), make.soon())
    with pytest.raises(CannotDeliver):
        handler.fulfil(late)
    assert state_of(second) == State.HELD
    assert not Mail.objects.filter(key__contains="confirmed").exists()


def test_a_payment_after_release_is_delivered_if_the_slot_is_free():
    lesson = make.proposed_lesson()
    line = make.sold_line(lesson)
    handler.reserve(line, make.soon())
    handler.release(line)
    handler.release(line)
    assert state_of(lesson) == State.PROPOSED
    handler.fulfil(line)
    assert state_of(lesson) == State.CONFIRMED


def test_fulfilling_twice_confirms_and_mails_once():
    lesson, line = make.confirmed_lesson()
    confirmed_at = lesson.confirmed_at
    handler.fulfil(line)
    lesson.refresh_from_db()
    assert (lesson.state, lesson.confirmed_at) == (State.CONFIRMED, confirmed_at)
    assert (lesson.order_line_id, lesson.held_until) == (line.id, None)
    keys = Mail.objects.filter(key__startswith=f"lesson:{lesson.pk}:").values_list("key", "to")
    assert sorted(keys) == [
        (f"lesson:{lesson.pk}:confirmed:student", lesson.student.email),
        (f"lesson:{lesson.pk}:confirmed:teacher", lesson.teacher.user.email),
    ]


def test_releasing_after_fulfilment_has_no_effect():
    lesson, line = make.confirmed_lesson()
    handler.release(line)
    assert state_of(lesson) == State.CONFIRMED


def test_releasing_another_orders_line_has_no_effect():
    lesson = make.proposed_lesson()
    old, new = make.sold_line(lesson), make.sold_line(lesson)
    handler.reserve(old, make.soon())
    let_hold_lapse(lesson)
    handler.reserve(new, make.soon())
    handler.release(old)
    assert state_of(lesson) == State.HELD
    assert lesson.order_line_id == new.id


def test_a_second_order_for_a_lesson_being_paid_is_refused():
    lesson = make.proposed_lesson()
    handler.reserve(make.sold_line(lesson), make.soon())
    with pytest.raises(SoldOut, match="another order"):
        handler.reserve(make.sold_line(lesson), make.soon())


def test_of_two_orders_of_one_student_the_paid_one_gets_the_lesson_and_the_other_is_refunded():
    lesson = make.proposed_lesson()
    first, second = make.sold_line(lesson), make.sold_line(lesson)
    handler.reserve(first, make.soon())
    let_hold_lapse(lesson)
    handler.reserve(second, make.soon())
    handler.fulfil(first)
    assert state_of(lesson) == State.CONFIRMED
    assert lesson.order_line_id == first.id
    with pytest.raises(CannotDeliver, match="already paid"):
        handler.fulfil(second)


def test_a_payment_by_another_buyer_delivers_nothing():
    lesson = make.proposed_lesson()
    stranger = make.sold_line(lesson, buyer_id=UserFactory().pk)
    with pytest.raises(SoldOut):
        handler.reserve(stranger, make.soon())
    with pytest.raises(CannotDeliver):
        handler.fulfil(stranger)


def test_a_lesson_in_the_past_is_neither_sold_nor_delivered(time_machine):
    lesson = make.proposed_lesson()
    line = make.sold_line(lesson)
    time_machine.move_to(lesson.starts_at + timedelta(minutes=1))
    assert "passed" in str(quote(lesson))
    with pytest.raises(SoldOut, match="passed"):
        handler.reserve(line, make.soon())
    with pytest.raises(CannotDeliver, match="passed"):
        handler.fulfil(line)


def test_unknown_references_raise_what_the_contract_says():
    line = make.sold_line(make.proposed_lesson(), reference="999999999")
    with pytest.raises(SoldOut):
        handler.reserve(line, make.soon())
    with pytest.raises(CannotDeliver):
        handler.fulfil(line)
    handler.release(line)
    handler.revoke(line, line.quantity, "refunded")
    assert handler.refund_offer(line, timezone.now()) == line.amount
    assert handler.delivery_url(make.sold_line(make.proposed_lesson(), reference="x")) == "/my/lessons/"


def test_a_suspended_teachers_lesson_is_not_sold():
    lesson = make.proposed_lesson()
    Teacher.objects.filter(pk=lesson.teacher_id).update(status=Teacher.Status.SUSPENDED)
    assert isinstance(quote(lesson), NotForSale)


def test_a_proposal_cannot_be_withdrawn_while_it_is_being_paid():
    lesson = make.proposed_lesson()
    line = make.sold_line(lesson)
    handler.reserve(line, make.soon())
    with pytest.raises(ProposalRefused):
        withdraw_proposal(lesson_id=lesson.pk, teacher=lesson.teacher)
    let_hold_lapse(lesson)
    withdraw_proposal(lesson_id=lesson.pk, teacher=lesson.teacher)
    assert "no longer offered" in str(quote(lesson))
    with pytest.raises(CannotDeliver, match="withdrawn"):
        handler.fulfil(line)


def test_revoking_cancels_the_lesson_frees_the_slot_and_mails_both_once():
    lesson, line = make.confirmed_lesson()
    handler.revoke(line, line.quantity, "Refunded")
    handler.revoke(line, line.quantity, "Refunded")
    assert state_of(lesson) == State.CANCELLED
    assert lesson.cancel_reason == "Refunded"
    assert Mail.objects.filter(key__startswith=f"lesson:{lesson.pk}:cancelled:").count() == 2
    make.confirmed_lesson(teacher=lesson.teacher)


def test_fulfilling_after_revoking_does_not_restore_the_lesson():
    lesson, line = make.confirmed_lesson()
    handler.revoke(line, line.quantity, "Refunded")
    handler.fulfil(line)
    assert state_of(lesson) == State.CANCELLED


def test_a_refund_does_not_cancel_a_lesson_that_took_place():
    lesson, line = make.confirmed_lesson()
    Lesson.objects.filter(pk=lesson.pk).update(state=State.COMPLETED)
    handler.revoke(line, line.quantity, "Refunded")
    assert state_of(lesson) == State.COMPLETED


def test_revoking_another_line_changes_nothing():
    lesson, _ = make.confirmed_lesson()
    handler.revoke(make.sold_line(lesson), 1, "Refunded")
    assert state_of(lesson) == State.CONFIRMED


@pytest.mark.parametrize(
    ("before", "back"),
    [
        (timedelta(hours=48), 4_001),
        (timedelta(hours=48) - timedelta(seconds=1), 2_001),
        (timedelta(hours=24), 2_001),
        (timedelta(hours=24) - timedelta(seconds=1), 0),
        (-timedelta(hours=1), 0),
    ],
)
def test_the_frozen_policy_decides_the_refund(before, back):
    lesson, line = make.confirmed_lesson(price=Money(4_001, "GBP"))
    assert handler.refund_offer(line, lesson.starts_at - before) == Money(back, "GBP")


def test_the_policy_of_the_line_applies_and_not_the_current_one():
    lesson = make.proposed_lesson()
    line = make.sold_line(lesson, policy={"full_refund_hours": 2, "half_refund_hours": 1})
    handler.reserve(line, make.soon())
    handler.fulfil(line)
    lesson.refresh_from_db()
    assert lesson.policy == {"full_refund_hours": 2, "half_refund_hours": 1}
    assert handler.refund_offer(line, lesson.starts_at - timedelta(hours=3)) == line.amount


def test_the_share_is_earned_once_the_lesson_can_no_longer_be_contested():
    lesson, line = make.confirmed_lesson()
    assert handler.earned_at(line) == lesson.ends_at + timedelta(hours=72)
    assert handler.delivery_url(line) == f"/my/lessons/{lesson.pk}/"
