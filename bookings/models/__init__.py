"""Lesson offers, requests and who is asked about them, and the lessons proposed in answer."""

from bookings.models.assignments import Assignment, TeacherLoad
from bookings.models.availability import Availability
from bookings.models.credit_terms import CreditTerms
from bookings.models.lessons import Lesson
from bookings.models.offers import LessonOffer, LessonPrice
from bookings.models.requests import LessonRequest

__all__ = [
    "Assignment",
    "Availability",
    "CreditTerms",
    "Lesson",
    "LessonOffer",
    "LessonPrice",
    "LessonRequest",
    "TeacherLoad",
]
