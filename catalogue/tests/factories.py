"""Subjects and listings for tests. Other apps' tests import SubjectFactory."""

import factory
from django.utils.text import slugify

from accounts.tests.factories import TeacherFactory
from catalogue.listings import ListingDraft, publish_listing
from catalogue.models import Listing, Subject
from money import Money


class SubjectFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Subject
        django_get_or_create = ("name",)

    name = factory.Sequence(lambda n: f"Subject {n}")
    slug = factory.LazyAttribute(lambda subject: slugify(subject.name))


class ListingFactory(factory.Factory):
    """A listing, published as domains do it; takes the fields of ListingDraft."""

    class Meta:
        model = Listing

    domain = "tests"
    reference = factory.Sequence(str)
    kind_label = "Workshop"
    url = factory.LazyAttribute(lambda draft: f"/offers/{draft.reference}/")
    title = factory.Sequence(lambda n: f"Offer {n}")
    summary = ""
    teacher = factory.SubFactory(TeacherFactory)
    prices = factory.LazyFunction(lambda: [Money(2500, "GBP")])

    @classmethod
    def _create(cls, model_class, **draft):
        return publish_listing(ListingDraft(**draft))
