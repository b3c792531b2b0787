from django.urls import path, register_converter
from django.urls.converters import IntConverter

from catalogue.views import browse, expertise, home, teachers


class RowId(IntConverter):
    """An id that fits PostgreSQL's bigint; a longer number is a 404 instead of a database error."""

    regex = "[0-9]{1,18}"


register_converter(RowId, "catalogue_row")

app_name = "catalogue"
urlpatterns = [
    path("", home.home, name="home"),
    path("browse/", browse.browse, name="browse"),
    path("browse/currency/", browse.choose_currency, name="currency"),
    path("teachers/<slug:slug>/", teachers.show_teacher, name="teacher"),
    path("teach/subjects/", expertise.edit_expertise, name="expertise_edit"),
    path("teach/subjects/<catalogue_row:expertise_id>/remove/", expertise.delete_expertise, name="expertise_remove"),
]
