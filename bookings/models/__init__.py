"""What can be asked for, what was asked, and the lessons that come of it."""

from bookings.models.lessons import Lesson
from bookings.models.offers import LessonOffer, LessonPrice
from bookings.models.requests import LessonRequest

__all__ = ["Lesson", "LessonOffer", "LessonPrice", "LessonRequest"]
