from payments.domains import DomainConfig, MenuPage


class WorkshopsConfig(DomainConfig):
    name = "workshops"
    handler = "workshops.handler.WorkshopHandler"
    student_page = MenuPage("My workshops", "workshops:mine")
    teacher_page = MenuPage("Workshops", "workshops:desk")
