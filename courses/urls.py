from django.urls import path

from courses.views import authoring, desk, learning, sales

app_name = "courses"
_COURSE = "teach/courses/<int:course_id>/"
_MODULE = f"{_COURSE}modules/<int:module_id>/"
_LESSON = f"{_COURSE}lessons/<int:lesson_id>/"
urlpatterns = [
    path("courses/<slug:slug>/", sales.detail, name="detail"),
    path("courses/<slug:slug>/cart/", sales.put_in_cart, name="put_in_cart"),
    path("courses/<slug:slug>/preview/<int:lesson_id>/", sales.preview, name="preview"),
    path("courses/<slug:slug>/preview/<int:lesson_id>/answers/", sales.preview_answers, name="preview_answers"),
    path("my/courses/", learning.mine, name="mine"),
    path("my/course/<int:course_id>/", learning.open_course, name="open"),
    path("my/courses/<slug:slug>/", learning.learn, name="learn"),
    path("my/courses/<slug:slug>/<int:lesson_id>/", learning.lesson, name="lesson"),
    path("my/courses/<slug:slug>/<int:lesson_id>/done/", learning.lesson_done, name="lesson_done"),
    path("my/courses/<slug:slug>/<int:lesson_id>/answers/", learning.lesson_answers, name="lesson_answers"),
    path("my/courses/<slug:slug>/<int:lesson_id>/file/", learning.lesson_file, name="lesson_file"),
    path("teach/courses/", desk.desk, name="desk"),
    path("teach/courses/new/", desk.course_create, name="course_create"),
    path(_COURSE, desk.course_outline, name="course_outline"),
    path(f"{_COURSE}details/", desk.course_edit, name="course_edit"),
    path(f"{_COURSE}publish/", desk.course_publish, name="course_publish"),
    path(f"{_COURSE}withdraw/", desk.course_withdraw, name="course_withdraw"),
    path(f"{_COURSE}close/", desk.course_close, name="course_close"),
    path(f"{_COURSE}modules/", authoring.module_add, name="module_add"),
    path(_MODULE, authoring.module_edit, name="module_edit"),
    path(f"{_MODULE}move/", authoring.module_move, name="module_move"),
    path(f"{_MODULE}delete/", authoring.module_delete, name="module_delete"),
    path(f"{_MODULE}lessons/new/<slug:kind>/", authoring.lesson_create, name="lesson_create"),
    path(_LESSON, authoring.lesson_edit, name="lesson_edit"),
    path(f"{_LESSON}move/", authoring.lesson_move, name="lesson_move"),
    path(f"{_LESSON}delete/", authoring.lesson_delete, name="lesson_delete"),
    path(f"{_LESSON}questions/", authoring.question_add, name="question_add"),
    path(f"{_LESSON}questions/<int:question_id>/delete/", authoring.question_delete, name="question_delete"),
]
