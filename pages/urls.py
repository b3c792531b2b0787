from django.urls import path, register_converter
from django.urls.converters import StringConverter

from pages import views
from pages.kinds import PageKind


class KindConverter(StringConverter):
    """The address of a page that exists, so that no other address of one word leads here."""

    regex = "|".join(PageKind.values)


class NumberConverter(StringConverter):
    """The number of a version, within PostgreSQL's integer."""

    regex = "[1-9][0-9]{0,8}"


register_converter(KindConverter, "page_kind")
register_converter(NumberConverter, "page_version")

app_name = "pages"
urlpatterns = [
    path("<page_kind:kind>/", views.show_page, name="page"),
    path("<page_kind:kind>/versions/<page_version:number>/", views.show_version, name="version"),
]
