"""Why something was cancelled: one stored text, which the student and the teacher read in their own words."""

from __future__ import annotations

BY_STUDENT = "Cancelled by the student."
BY_STUDENT_REFUNDED = "Cancelled by the student and refunded."
BY_TEACHER_REFUNDED = "Cancelled by the teacher and refunded."

_TO_STUDENT = {
    BY_STUDENT: "You cancelled this {what}.",
    BY_STUDENT_REFUNDED: "You cancelled this {what}; it is refunded.",
}
_TO_TEACHER = {BY_STUDENT: "Cancelled by {student}.", BY_STUDENT_REFUNDED: "Cancelled by {student} and refunded."}


def reason_for_student(reason: str, what: str) -> str:
    """A stored reason as the student reads it. `what` is their word for the thing: order, lesson."""
    return _TO_STUDENT[reason].format(what=what) if reason in _TO_STUDENT else reason


def reason_for_teacher(reason: str, student: str) -> str:
    """A stored reason as the teacher reads it, who knows the student by name."""
    return _TO_TEACHER[reason].format(student=student) if reason in _TO_TEACHER else reason
