"""Forms of the site behind endpoints: their errors are answered like those of serializers."""

from __future__ import annotations

from django.forms import BaseForm
from rest_framework.exceptions import ValidationError


def refuse_invalid(form: BaseForm) -> None:
    """Raise ValidationError with the messages of a form that is not valid, each under the name of its field."""
    if not form.is_valid():
        raise ValidationError({name: [str(message) for message in messages] for name, messages in form.errors.items()})
