import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Teacher, User
from bookings.models import Lesson, LessonRequest
from catalogue.models import Listing, ListingPrice
from courses.models import Course, CourseLesson
from demo.accounts import ACCOUNTS, PASSWORD, STUDENT
from demo.loading.files import read_course, read_courses
from notifications.models import Mail
from workshops.models import Workshop


@pytest.fixture
def folders(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PRIVATE_MEDIA_ROOT = tmp_path / "private"


@pytest.mark.django_db
def test_the_data_is_complete_and_loading_it_again_adds_nothing(folders):
    call_command("load_demo_data", verbosity=0)
    first = counted()
    assert first["teachers"] == 10
    assert first["courses"] == 8
    assert first["workshops"] == 14
    assert first["currencies"] == {"GBP", "EUR", "JPY", "USD"}
    call_command("load_demo_data", verbosity=0)
    assert counted() == first


@pytest.mark.django_db
def test_everything_sold_shows_a_photo_of_its_teacher_and_lies_ahead(folders):
    call_command("load_demo_data", verbosity=0)
    for teacher in Teacher.objects.all():
        assert teacher.photo.size > 2000
    for workshop in Workshop.objects.all():
        assert workshop.sessions.earliest("starts_at").starts_at > timezone.now()
    assert not Listing.objects.filter(subject=None).exists()


@pytest.mark.django_db
def test_what_strangers_search_is_found(folders, client):
    call_command("load_demo_data", verbosity=0)
    expected = {
        "watercolor": "Watercolour: Water First",
        "learn guitar": "One tune at a time",
        "piano teacher": "Piano for adults who start late",
        "gitar": "One tune at a time",
        "lodzi": "What a Survey Can Say",
        "strassenmusik": "Straßenmusik: Three Songs for a Square",
        "Zurich": "Straßenmusik: Three Songs for a Square",
        "O'Brien’s": "Straßenmusik: Three Songs for a Square",
        "入門": "Kana in Two Weeks",
        "calculs": "Calculus, drawn before it is calculated",
    }
    for text, title in expected.items():
        found = [listing.title for listing in client.get("/browse/", {"q": text}).context["page"]]
        assert title in found, (text, found)


@pytest.mark.django_db
def test_an_accepted_lesson_waits_for_the_student_to_pay(folders):
    call_command("load_demo_data", verbosity=0)
    lessons = Lesson.objects.filter(student__email=STUDENT.email, state=Lesson.State.PROPOSED)
    assert lessons.count() == 2
    assert {lesson.starts_at.strftime("%a") for lesson in lessons} == {"Tue"}


@pytest.mark.django_db
def test_requests_to_any_teacher_show_the_broader_subject_and_one_for_staff(folders):
    call_command("load_demo_data", verbosity=0)
    requests = LessonRequest.objects.filter(is_to_any_teacher=True)
    found = {request.subject.name: request.teacher and request.teacher.display_name for request in requests}
    assert found["Piano"].startswith("Owen")
    assert found["Mathematics"].startswith("Tomasz")
    assert found["Japanese"] is None


@pytest.mark.django_db
def test_the_demo_accounts_have_the_password_that_is_printed(folders):
    call_command("load_demo_data", verbosity=0)
    for account in ACCOUNTS:
        assert User.objects.get(email=account.email).check_password(PASSWORD)


def counted():
    return {
        "users": User.objects.count(),
        "teachers": Teacher.objects.filter(status=Teacher.Status.APPROVED).count(),
        "courses": Course.objects.on_sale().count(),
        "course lessons": CourseLesson.objects.count(),
        "workshops": Workshop.objects.filter(state="published").count(),
        "listings": Listing.objects.count(),
        "lessons": Lesson.objects.count(),
        "mails": Mail.objects.count(),
        "currencies": set(ListingPrice.objects.values_list("currency", flat=True)),
    }


def test_each_written_course_has_substance():
    for course in read_courses():
        lessons = [lesson for module in course.modules for lesson in module.lessons]
        assert len(course.modules) >= 3, course.facts["title"]
        assert len(lessons) >= 8, course.facts["title"]
        for lesson in lessons:
            assert lesson.questions or len(lesson.body.split()) > 60, lesson.title
        assert set(course.facts["preview"]) <= {lesson.title for lesson in lessons}


def test_a_remark_in_a_program_is_no_heading_and_the_right_choice_is_counted_from_zero():
    text = '+++\ntitle = "T"\n+++\nAbout.\n\n# M\n## L\n```python\n# remark\n```\n## Quiz: Q\n? Which?\n- a\n* b\n> Since.\n'
    course = read_course(text)
    assert course.description == "About."
    written, quiz = course.modules[0].lessons
    assert "# remark" in written.body
    assert quiz.questions == [{"text": "Which?", "choices": ["a", "b"], "right_choice": 1, "explanation": "Since."}]
