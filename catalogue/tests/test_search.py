"""What strangers type finds what they mean: folding, spelling, typing errors and suggestions."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.folding import fold
from accounts.tests.factories import TeacherFactory
from catalogue.models import Listing, SearchWord
from catalogue.spelling import distance
from catalogue.tests.factories import ListingFactory, SubjectFactory
from catalogue.words import words

BROWSE = "/browse/"


def titles(client, **query):
    response = client.get(BROWSE, query)
    assert response.status_code == 200
    return [listing.title for listing in response.context["page"]]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Zürich", "zurich"), ("Zu\u0308rich", "zurich"), ("Łódź", "lodz"), ("Đặng Thị", "dang thi"),
        ("Straßenmusik", "strassenmusik"), ("STRASSE", "strasse"), ("Ærø", "aero"), ("Œuvre", "oeuvre"),
        ("O’Brien", "o'brien"), ("Ｍüller", "muller"), ("Iſtanbul", "istanbul"), ("ﬁsh", "fish"),
        ("ガ", "ガ"), ("か\u3099", "が"), ("한국", "한국"), ("नमस्ते", "नमस्ते"), ("soft\u00adware", "software"),
        ("علی\u200cرضا", "علیرضا"), ("Ёлка", "елка"), ("a\x00b", "ab"),
    ],
)  # fmt: skip
def test_folding(written, folded):
    assert fold(written) == folded
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("watercolour", "watercolor"), ("colouring", "coloring"), ("centre", "center"), ("theatres", "theaters"),
        ("organise", "organize"), ("improvisation", "improvization"), ("analyse", "analyze"), ("jewellery", "jewelry"),
        ("travelling", "traveling"), ("catalogue", "catalog"), ("defence", "defense"), ("practise", "practice"),
        ("programme", "program"), ("maths", "math"), ("grey", "gray"), ("mould", "mold"), ("paediatric", "pediatric"),
    ],
)  # fmt: skip
def test_british_and_american_spellings_are_one_word(british, american):
    assert words(british) == words(american)


@pytest.mark.parametrize(
    ("left", "right", "steps"),
    [("gitar", "guitar", 1), ("gutiar", "guitar", 1), ("", "ab", 2), ("same", "same", 0), ("piano", "paino", 1)],
)
def test_the_distance_counts_a_swap_once(left, right, steps):
    assert distance(left, right) == distance(right, left) == steps


@pytest.fixture
def demo_like(db):
    music = SubjectFactory(name="Music")
    guitar = SubjectFactory(name="Guitar", broader=music)
    ListingFactory(title="Fingerstyle for beginners", subject=guitar, kind_label="Private lesson")
    ListingFactory(title="Late starters", subject=SubjectFactory(name="Piano", broader=music), kind_label="Course")
    ListingFactory(title="Watercolour: Water First", subject=SubjectFactory(name="Watercolour"))
    ListingFactory(title="Straßenmusik und Recht", teacher=TeacherFactory(display_name="Jürgen Groß"))
    ListingFactory(title="An Evening in Łódź", place="Łódź", search_text="W Łodzi, ul. Piotrkowska")
    ListingFactory(title="Lakeside Photographs", place="Zürich")
    ListingFactory(title="Whistle at O'Brien's", teacher=TeacherFactory(display_name="Đặng Thị Ngọc"))
    ListingFactory(title="日本語入門コース")
    ListingFactory(title="Calculus, Slowly")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("watercolor", "Watercolour: Water First"), ("WATERCOLOURS", "Watercolour: Water First"),
        ("learn guitar", "Fingerstyle for beginners"), ("guitar teacher near me", "Fingerstyle for beginners"),
        ("piano teacher", "Late starters"), ("gitar", "Fingerstyle for beginners"),
        ("lodzi", "An Evening in Łódź"), ("Lodz", "An Evening in Łódź"), ("łódź", "An Evening in Łódź"),
        ("strassenmusik", "Straßenmusik und Recht"), ("STRASSENMUSIK", "Straßenmusik und Recht"),
        ("gross", "Straßenmusik und Recht"), ("Jurgen Groß", "Straßenmusik und Recht"),
        ("Zurich", "Lakeside Photographs"), ("Zu\u0308rich", "Lakeside Photographs"), ("photgraphs", "Lakeside Photographs"),
        ("O’Brien’s", "Whistle at O'Brien's"), ("O'Brien", "Whistle at O'Brien's"), ("OBrien", "Whistle at O'Brien's"),
        ("brien", "Whistle at O'Brien's"), ("Dang", "Whistle at O'Brien's"), ("ngoc", "Whistle at O'Brien's"),
        ("入門", "日本語入門コース"), ("コース", "日本語入門コース"), ("門", "日本語入門コース"),
        ("calculs", "Calculus, Slowly"), ("Ｃａｌｃｕｌｕｓ", "Calculus, Slowly"), ("calculus for the", "Calculus, Slowly"),
        ("watrcolur", "Watercolour: Water First"),
    ],
)  # fmt: skip
def test_what_strangers_type_finds_what_they_mean(client, demo_like, text, title):
    assert titles(client, q=text) == [title]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Email that gets answers", "e-mail"), ("E-mail that gets answers", "email"), ("Ballroom for two", "ball room"),
        ("Ball room for two", "ballroom"), ("T'ai chi at dawn", "taichi"), ("T'ai chi at dawn", "tai-chi"),
        ("Tai Chi at dawn", "t'ai chi"), ("3D printing", "3-d printing"), ("3-D printing", "3d"), ("Excel 365", "Excel365"),
        ("Rock ’n’ roll guitar", "rock'n'roll"), ("Rock'n'Roll guitar", "rock n roll"), ("Rock'n'Roll guitar", "rock 'n' roll"),
        ("Maths from scratch", "mathematics"), ("Mathematics from scratch", "maths"), ("C++ and C#", "c++"),
    ],
)  # fmt: skip
def test_words_are_found_written_as_one_or_apart(client, title, text):
    ListingFactory(title="Something else")
    ListingFactory(title=title)
    assert titles(client, q=text) == [title]


@pytest.mark.parametrize("text", ["a-b-c-d-e-f-g-h-i", "日-本", "日本x", "x" * 200, "a' 'n' 'n' b", "-", "'n'"])
def test_odd_words_are_searched_without_an_error(client, demo_like, text):
    titles(client, q=text)


@pytest.mark.parametrize(("place", "title"), [("Zurich", "Lakeside Photographs"), ("lod", "An Evening in Łódź")])
def test_places_are_found_without_accents(client, demo_like, place, title):
    assert titles(client, place=place) == [title]


@pytest.mark.parametrize("name", ["Dang", "đặng thị", "NGOC", "Đặng"])
def test_teachers_are_found_without_accents(client, demo_like, name):
    assert titles(client, teacher=name) == ["Whistle at O'Brien's"]


@pytest.mark.parametrize("query", [{"place": "urich"}, {"teacher": "ang"}, {"teacher": "Zürich"}, {"place": "!!"}])
def test_filters_compare_the_beginnings_of_their_own_words_only(client, demo_like, query):
    assert titles(client, **query) == []


@pytest.mark.django_db
def test_a_word_inside_a_name_is_no_match(client):
    ListingFactory(title="Guitar", teacher=TeacherFactory(display_name="Martin Bart"))
    ListingFactory(title="Clay", subject=SubjectFactory(name="Art and craft"))
    ListingFactory(title="Chess", teacher=TeacherFactory(display_name="Artur Dent"))
    assert titles(client, q="art") == ["Clay"]


@pytest.mark.django_db
def test_only_the_present_name_of_a_teacher_is_found(client):
    listing = ListingFactory(title="Lute", teacher=TeacherFactory(display_name="Rosalind"))
    listing.teacher.display_name = "Orlando"
    listing.teacher.save()
    assert titles(client, q="orlando") == titles(client, teacher="orlando") == ["Lute"]
    assert titles(client, q="rosalind") == titles(client, teacher="rosalind") == []


def test_a_correction_is_said(client, demo_like):
    page = client.get(BROWSE, {"q": "calculs"}).content.decode()
    assert "No offers contain" in page
    assert ">calculus</strong>" in page


def test_a_correction_is_written_as_the_offer_writes_it(client, demo_like):
    assert client.get(BROWSE, {"q": "lodzz"}).context["found"].meant == ["łódź"]


def test_some_of_the_words_are_better_than_nothing(client, demo_like):
    page = client.get(BROWSE, {"q": "calculus trombone"})
    assert [listing.title for listing in page.context["page"]] == ["Calculus, Slowly"]
    assert "No offers contain all of these words" in page.content.decode()


@pytest.mark.parametrize("text", ['"guitar calculus"', "calculus -slowly", "trombone or tuba"])
def test_operators_are_taken_at_their_word(client, demo_like, text):
    assert titles(client, q=text) == []


def test_words_of_withdrawn_listings_are_not_suggested(client, demo_like):
    Listing.objects.filter(title="Calculus, Slowly").delete()
    assert SearchWord.objects.filter(word="calculus").exists()
    response = client.get(BROWSE, {"q": "calculs"})
    assert response.context["found"].corrections == []


def test_an_empty_answer_offers_subjects_and_kinds(client, demo_like):
    page = client.get(BROWSE, {"q": "pneumatics"}).content.decode()
    for part in ("No offers match", "Subjects taught here", "?subject=guitar", "1 course", "Show everything"):
        assert part in page


def test_an_empty_answer_names_similar_subjects(client, demo_like):
    page = client.get(BROWSE, {"q": "musik", "level": "advanced"}).content.decode()
    assert "Did you mean one of these subjects?" in page


def test_an_empty_answer_says_which_filter_to_remove(client, demo_like):
    response = client.get(BROWSE, {"q": "guitar", "level": "advanced"})
    offers = [(offer.label, offer.number, offer.query) for offer in response.context["suggestions"].without]
    assert offers == [("Advanced", 1, "q=guitar")]
    assert "Without" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["guitar", "gitar", "guitar xylophone", "xylophone", "piano teacher", "gui"])
def test_the_number_of_queries_does_not_grow_with_the_listings(client, text):
    subject = SubjectFactory(name="Guitar")
    counts = []
    for number in (1, 9, 30):
        for _ in range(number):
            ListingFactory(subject=subject)
        client.get(BROWSE, {"q": text})
        with CaptureQueriesContext(connection) as queries:
            client.get(BROWSE, {"q": text})
        counts.append(len(queries))
    assert counts[0] == counts[1] == counts[2] <= 14
