"""Titles are one line without hidden characters, in every form that takes one."""

import pytest
from django.apps import apps
from django.db import models
from django.forms import modelform_factory

from accounts.one_line import LineField, LineFormField
from courses.forms import LessonForm, ModuleForm

# Filled from other rows, which were checked when they were typed.
COPIES = {
    "notifications.Alert",
    "payments.CartLine",
    "payments.OrderLine",
    "payments.SaleCancellation",
    "catalogue.Listing",
    "subscriptions.LessonCredit",
}


def titles():
    for model in apps.get_models():
        for field in model._meta.fields:
            if field.name == "title" and isinstance(field, models.CharField) and model._meta.label not in COPIES:
                yield model, field


def test_every_title_that_people_type_is_a_line():
    kinds = {model._meta.label: type(field) for model, field in titles() if "tests" not in model.__module__}
    assert set(kinds.values()) == {LineField}, kinds
    assert {
        "bookings.LessonOffer",
        "workshops.Workshop",
        "courses.Course",
        "courses.Module",
        "courses.CourseLesson",
    } <= set(kinds)
    for model, _ in titles():
        if "tests" not in model.__module__:
            form = modelform_factory(model, fields=["title"])({"title": "One\ntwo"})
            assert form.is_valid()
            assert form.cleaned_data["title"] == "One two"


@pytest.mark.parametrize("form", [ModuleForm, LessonForm])
def test_forms_without_a_model_take_lines_as_well(form):
    assert isinstance(form.base_fields["title"], LineFormField)
