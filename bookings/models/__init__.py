"""Lesson offers, the requests students make, and the lessons proposed in answer."""

from bookings.models.lessons import Lesson
from bookings.models.offers import LessonOffer, LessonPrice
from bookings.models.requests import LessonRequest

__all__ = ["Lesson", "LessonOffer", "LessonPrice", "LessonRequest"]
