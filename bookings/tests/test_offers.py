import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.models import LessonOffer
from bookings.offers import OfferIncomplete, publish_offer, save_offer, withdraw_offer
from bookings.tests import factories as make
from catalogue.models import Listing
from money import Money

pytestmark = pytest.mark.django_db


def filled_in(**fields):
    given = {
        "title": "Cello from the start", "levels": ["beginner"], "minutes": "45", "language": "en", "is_online": "on",
        "description": "**Bow** hold", "price_gbp": "40.00", "price_jpy": "5000", **fields,
    }  # fmt: skip
    return given if "subject" in given else given | {"subject": make.subject().pk}


@pytest.fixture
def teacher():
    return TeacherFactory()


@pytest.fixture
def desk(client, teacher):
    client.force_login(teacher.user)
    return client


def listing_of(offer):
    return Listing.objects.filter(domain="private_teaching", reference=str(offer.pk)).first()


def test_a_teacher_writes_publishes_changes_and_withdraws_an_offer(desk, teacher):
    assert desk.get(reverse("bookings:offer_create")).status_code == 200
    assert desk.post(reverse("bookings:offer_create"), filled_in()).status_code == 302
    offer = LessonOffer.objects.get()
    assert offer.teacher == teacher
    assert listing_of(offer) is None
    desk.post(reverse("bookings:offer_publish", args=[offer.pk]))
    listing = listing_of(offer)
    assert (listing.kind_label, listing.url, listing.is_by_request) == (
        "Private lesson",
        offer.get_absolute_url(),
        True,
    )
    assert {str(price.amount) for price in listing.prices.all()} == {"£40.00", "¥5,000"}
    edit = reverse("bookings:offer_edit", args=[offer.pk])
    assert desk.get(edit).context["form"]["price_gbp"].value() == 40
    desk.post(edit, filled_in(title="Cello for all", price_jpy="", subject=offer.subject_id))
    listing = listing_of(offer)
    assert listing.title == "Cello for all"
    assert [str(price.amount) for price in listing.prices.all()] == ["£40.00"]
    desk.post(reverse("bookings:offer_withdraw", args=[offer.pk]))
    assert listing_of(offer) is None
    assert "Cello for all" in desk.get(reverse("bookings:offers_mine")).content.decode()


@pytest.mark.parametrize(
    "bad",
    [
        {"title": ""}, {"title": "a\x00"}, {"title": "a" * 121}, {"subject": "x"}, {"subject": 10**30}, {"levels": []},
        {"levels": ["genius"]}, {"minutes": "14"}, {"minutes": "481"}, {"minutes": 10**30}, {"minutes": "x"},
        {"language": "xx"}, {"is_online": "", "place": ""}, {"price_gbp": "", "price_jpy": ""}, {"price_gbp": "0.29"},
        {"price_gbp": "NaN"}, {"price_gbp": "1e999"}, {"price_gbp": "40.001"}, {"price_jpy": "40.5"}, {"price_gbp": "\x00"},
        {"description": "a" * 5001},
    ],
)  # fmt: skip
def test_an_invalid_offer_is_refused_in_the_form(desk, bad):
    assert desk.post(reverse("bookings:offer_create"), filled_in(**bad)).status_code == 400
    assert not LessonOffer.objects.exists()


def test_teacher_slug_and_publication_of_an_offer_cannot_be_posted(desk, teacher):
    other = TeacherFactory()
    desk.post(reverse("bookings:offer_create"), filled_in(teacher=other.pk, is_published="on", slug="request"))
    offer = LessonOffer.objects.get()
    assert (offer.teacher, offer.is_published) == (teacher, False)
    assert offer.slug.startswith("cello-from-the-start-")


def test_an_offer_without_a_price_is_not_published():
    offer = make.offer(prices=(), is_published=False)
    with pytest.raises(OfferIncomplete):
        publish_offer(offer=offer)
    offer.refresh_from_db()
    assert not offer.is_published


def test_a_published_offer_cannot_lose_its_last_price():
    offer = make.offer()
    with pytest.raises(OfferIncomplete):
        save_offer(offer=offer, prices=[])
    assert [price.amount for price in offer.prices.all()] == [Money(4_000, "GBP")]


def test_saving_an_old_form_does_not_publish_an_offer_withdrawn_meanwhile():
    offer = make.offer()
    opened = LessonOffer.objects.get(pk=offer.pk)
    withdraw_offer(offer=offer)
    save_offer(offer=opened, prices=[Money(4_000, "GBP")])
    offer.refresh_from_db()
    assert not offer.is_published
    assert listing_of(offer) is None


def test_titles_may_repeat_and_need_no_latin_letters(teacher):
    slugs = {make.offer(teacher=teacher, title=title).slug for title in ("Цело", "Cello", "Cello", "request")}
    assert len(slugs) == 4
    for slug in slugs:
        assert Client().get(reverse("bookings:offer_detail", args=[slug])).status_code == 200


def test_the_page_leads_to_a_request_and_shows_safe_markdown():
    offer = make.offer(description="**Bow** <script>alert(1)</script>")
    page = Client().get(offer.get_absolute_url()).content.decode()
    assert "<strong>Bow</strong>" in page
    assert "<script>alert" not in page
    assert f"{reverse('bookings:request_create', args=[offer.teacher.slug])}?offer={offer.slug}" in page


def test_only_its_teacher_sees_an_offer_that_is_not_published():
    offer = make.offer()
    withdraw_offer(offer=offer)
    offer.refresh_from_db()
    url = offer.get_absolute_url()
    assert Client().get(url).status_code == 404
    for user, status in ((UserFactory(), 404), (TeacherFactory().user, 404), (offer.teacher.user, 200)):
        client = Client()
        client.force_login(user)
        assert client.get(url).status_code == status


def test_a_suspended_teachers_offer_is_not_shown():
    offer = make.offer()
    Teacher.objects.filter(pk=offer.teacher_id).update(status=Teacher.Status.SUSPENDED)
    assert Client().get(offer.get_absolute_url()).status_code == 404


def test_staff_publish_withdraw_and_edit_offers_in_the_admin(admin_client):
    offer = make.offer(is_published=False)
    url = reverse("admin:bookings_lessonoffer_changelist")
    admin_client.post(url, {"action": "publish", "_selected_action": [offer.pk]})
    assert listing_of(offer)
    admin_client.post(url, {"action": "withdraw", "_selected_action": [offer.pk]})
    assert listing_of(offer) is None


@pytest.mark.parametrize("model", ["lessonoffer", "lessonrequest", "lesson"])
def test_the_admin_lists_searches_and_shows(admin_client, model):
    lesson, _ = make.confirmed_lesson()
    offer = make.offer()
    pk = {"lessonoffer": offer.pk, "lessonrequest": lesson.request_id, "lesson": lesson.pk}[model]
    assert admin_client.get(reverse(f"admin:bookings_{model}_changelist") + "?q=5").status_code == 200
    assert admin_client.get(reverse(f"admin:bookings_{model}_change", args=[pk])).status_code == 200


def test_a_refused_offer_is_shown_again_with_the_values_entered(admin_client):
    offer = make.offer()
    price = offer.prices.get()
    sent = {
        "title": "Typed with care", "subject": offer.subject_id, "minutes": 60, "language": "en", "is_online": "on",
        "description": "Typed too", "levels": "beginner",
        "prices-TOTAL_FORMS": 1, "prices-INITIAL_FORMS": 1, "prices-0-id": price.pk, "prices-0-offer": offer.pk,
        "prices-0-currency": "GBP", "prices-0-amount_minor": 7_700, "prices-0-DELETE": "on",
    }  # fmt: skip
    answer = admin_client.post(reverse("admin:bookings_lessonoffer_change", args=[offer.pk]), sent)
    [prices] = answer.context["inline_admin_formsets"]
    assert prices.formset.non_form_errors() == ["Give the lesson a price first."]
    assert answer.context["adminform"].form.errors == {}
    shown = answer.content.decode()
    assert all(typed in shown for typed in ("Typed with care", "Typed too", "7700"))
    offer.refresh_from_db()
    assert (offer.title == "Typed with care", offer.prices.count()) == (False, 1)
