"""Every form that takes a picture."""

from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import TeacherFactory
from courses.tests.factories import published_course
from tests.market import signed_in
from workshops.tests.factories import make_workshop
from workshops.tests.test_admin import sent_for
from workshops.tests.test_desk import filled_in

TEACHER = {
    "display_name": "Ada Lovelace",
    "headline": "Numbers for poets",
    "biography": "I count.",
    "languages": "English",
    "regions": "United Kingdom",
}
COURSE = {"title": "Chess openings", "summary": "Twelve of them.", "language": "en", "price_gbp": "25.00"}


class Door:
    """A form for an existing object; a text is changed together with the picture."""

    field = "cover"
    words = "title"

    def __init__(self):
        self.row = self.make()
        self.client = signed_in(self.person())

    def person(self):
        return self.row.teacher.user

    def send(self, upload=None, **changes):
        files = {self.field: upload} if upload else {}
        return self.client.post(self.url(), self.fields() | changes | files)

    def page(self):
        return self.client.get(self.url())

    @property
    def stored(self):
        self.row.refresh_from_db()
        return getattr(self.row, self.field)

    @property
    def text(self):
        self.row.refresh_from_db()
        return getattr(self.row, self.words)


class ProfilePhoto(Door):
    field, words = "photo", "display_name"

    def make(self):
        return TeacherFactory()

    def person(self):
        return self.row.user

    def url(self):
        return reverse("accounts:teacher_profile")

    def fields(self):
        return TEACHER


class CourseCover(Door):
    def make(self):
        return published_course()

    def url(self):
        return reverse("courses:course_edit", args=[self.row.pk])

    def fields(self):
        return COURSE


class WorkshopPicture(Door):
    def make(self):
        return make_workshop()

    def url(self):
        return reverse("workshops:edit", args=[self.row.slug])

    def fields(self):
        return filled_in()


class CourseInTheAdmin(CourseCover):
    def person(self):
        return User.objects.create_superuser("staff@example.org", "correct horse battery")

    def url(self):
        return reverse("admin:courses_course_change", args=[self.row.pk])

    def fields(self):
        price, module = self.row.prices.get(), self.row.modules.get()
        return {
            "title": "Chess openings", "summary": "Twelve of them.", "language": "en",
            "prices-TOTAL_FORMS": 1, "prices-INITIAL_FORMS": 1, "prices-0-id": price.pk, "prices-0-course": self.row.pk,
            "prices-0-currency": "GBP", "prices-0-amount_minor": 7_700,
            "modules-TOTAL_FORMS": 1, "modules-INITIAL_FORMS": 1, "modules-0-id": module.pk,
            "modules-0-course": self.row.pk, "modules-0-title": module.title, "modules-0-position": 1,
        }  # fmt: skip


class WorkshopInTheAdmin(CourseInTheAdmin):
    def make(self):
        return make_workshop()

    def url(self):
        return reverse("admin:workshops_workshop_change", args=[self.row.pk])

    def fields(self):
        return sent_for(self.row, title="Sourdough")


DOORS = [ProfilePhoto, CourseCover, WorkshopPicture, CourseInTheAdmin, WorkshopInTheAdmin]
