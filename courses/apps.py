from django.apps import AppConfig


class CoursesConfig(AppConfig):
    name = "courses"

    def ready(self) -> None:
        from courses.handler import CourseHandler  # needs the models, which are loaded by now
        from payments.registry import register

        register(CourseHandler())
