"""The forms of endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.one_line import LineFormField
from webhooks.event_types import EventType
from webhooks.models.endpoints import LONGEST_URL


class EndpointForm(forms.Form):
    """Where messages go, and which."""

    url = forms.CharField(
        label="Address",
        max_length=LONGEST_URL,
        widget=forms.URLInput(attrs={"placeholder": "https://school.example/webhooks", "autocomplete": "off"}),
        help_text="Of your program, beginning with https://.",
    )
    description = LineFormField(
        label="What it is for", max_length=100, required=False, help_text="Accounting, calendar."
    )
    event_types = forms.MultipleChoiceField(label="Events", widget=forms.CheckboxSelectMultiple)

    def __init__(
        self, *args: Any, event_types: Sequence[EventType], may_see_everything: bool = False, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        if may_see_everything:
            self.fields["sees_everything"] = forms.BooleanField(
                label="Of all people",
                required=False,
                help_text="For the platform's own programs. Without this, only what concerns your own account is sent.",
            )
        field = self.fields["event_types"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  # it is declared above
        field.choices = [(each.name, f"{each.name}: {each.text}") for each in event_types]


class RotateForm(forms.Form):
    """Whether the former secret ends at once."""

    is_leaked = forms.BooleanField(
        label="The former secret has leaked: end it at once",
        required=False,
        help_text="Otherwise it works beside the new one for 24 hours, so that no message is refused meanwhile.",
    )


class ReplayForm(forms.Form):
    """From when on, and which."""

    since = forms.TypedChoiceField(
        label="From the last",
        choices=[(1, "hour"), (24, "day"), (24 * 7, "week"), (24 * 30, "30 days")],
        coerce=int,
        initial=24,
    )
    only_failed = forms.TypedChoiceField(
        label="Which messages",
        choices=[("failed", "Those that did not arrive"), ("all", "All of them, also those that arrived")],
        coerce=lambda value: value == "failed",
        initial="failed",
        # False is an answer.
        empty_value=None,
    )

    @property
    def moment(self) -> Any:
        """From when on. Read it once the form is valid."""
        return timezone.now() - timedelta(hours=self.cleaned_data["since"])
