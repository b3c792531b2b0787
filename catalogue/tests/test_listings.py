from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory
from catalogue.listings import index_listings, mark_sold_out, withdraw_listing
from catalogue.models import Listing, Subject
from catalogue.tests.factories import ListingFactory, SubjectFactory
from money import Money

pytestmark = pytest.mark.django_db


def test_publishing_again_updates_the_same_listing_and_its_prices():
    first = ListingFactory(reference="7", title="Old", prices=[Money(1000, "GBP"), Money(900, "JPY")])
    again = ListingFactory(
        reference="7", title="New", teacher=first.teacher, prices=[Money(1200, "GBP"), Money(50, "EUR")]
    )
    assert again.pk == first.pk
    assert Listing.objects.get().title == "New"
    assert {price.amount for price in again.prices.all()} == {Money(1200, "GBP"), Money(50, "EUR")}


def test_withdrawing_and_selling_out_without_a_listing_have_no_effect():
    withdraw_listing(domain="tests", reference="none")
    mark_sold_out(domain="tests", reference="none", is_sold_out=True)
    listing = ListingFactory()
    mark_sold_out(domain="tests", reference=listing.reference, is_sold_out=True)
    listing.refresh_from_db()
    assert listing.is_sold_out
    withdraw_listing(domain="tests", reference=listing.reference)
    assert not Listing.objects.exists()


def test_a_long_summary_is_cut_at_a_word():
    listing = ListingFactory(summary="word " * 100)
    assert len(listing.summary) <= 300
    assert listing.summary.endswith("word…")


def test_only_listings_of_approved_teachers_that_have_not_started_are_shown():
    now = timezone.now()
    shown = {ListingFactory(), ListingFactory(starts_at=now + timedelta(minutes=1))}
    ListingFactory(starts_at=now - timedelta(minutes=1))
    for status in (Teacher.Status.APPLIED, Teacher.Status.DECLINED, Teacher.Status.SUSPENDED):
        ListingFactory(teacher=TeacherFactory(status=status))
    assert set(Listing.objects.shown(now)) == shown


def test_price_falls_back_to_a_currency_it_is_sold_in():
    listing = ListingFactory(prices=[Money(500, "JPY"), Money(700, "EUR")])
    assert listing.price_in("JPY") == Money(500, "JPY")
    assert listing.price_in("GBP") == Money(700, "EUR")
    assert ListingFactory(prices=[]).price_in("GBP") is None


def test_a_renamed_subject_is_found_after_indexing():
    subject = SubjectFactory(name="Lute")
    listing = ListingFactory(subject=subject)
    Subject.objects.filter(pk=subject.pk).update(name="Theorbo")
    assert not Listing.objects.filter(search="theorbo").exists()
    index_listings(Listing.objects.all())
    assert Listing.objects.get(search="theorbo") == listing


def test_a_subject_keeps_its_cover_unless_staff_choose_one():
    assert SubjectFactory(name="Guitar").tone == SubjectFactory(name="Guitar").tone
    assert SubjectFactory(name="Cello", chosen_tone="rose", chosen_motif="waves").motif == "waves"


def test_subjects_have_only_two_tiers():
    from django.core.exceptions import ValidationError

    music = SubjectFactory(name="Music")
    guitar = SubjectFactory(name="Guitar", broader=music)
    with pytest.raises(ValidationError):
        Subject(name="Jazz guitar", slug="jazz-guitar", broader=guitar).full_clean()
    music.broader = SubjectFactory(name="Arts")
    with pytest.raises(ValidationError):
        music.full_clean()
