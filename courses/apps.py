from payments.domains import DomainConfig, MenuPage


class CoursesConfig(DomainConfig):
    name = "courses"
    handler = "courses.handler.CourseHandler"
    student_page = MenuPage("My courses", "courses:mine")
    teacher_page = MenuPage("Courses", "courses:desk")
