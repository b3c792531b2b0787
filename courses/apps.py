from payments.domains import DomainConfig, MenuPage


class CoursesConfig(DomainConfig):
    name = "courses"
    handler = "courses.handler.CourseHandler"
    student_page = MenuPage("My courses", "courses:mine")
    teacher_page = MenuPage("Courses", "courses:desk")

    def ready(self) -> None:
        super().ready()
        from django.urls import reverse

        from notifications.advice import Advice, register_advice

        advice = Advice(
            "Ask the teacher to upload the file again, or restore it from the backup.",
            lambda lesson: reverse("admin:courses_courselesson_change", args=[lesson]),
        )
        register_advice({"course-file": advice})
