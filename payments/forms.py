"""Forms about what was sold, which the pages of all domains use."""

from __future__ import annotations

from django import forms


class CancellationForm(forms.Form):
    """Why something that was sold will not take place."""

    reason = forms.CharField(
        label="Reason",
        max_length=250,
        help_text="Your students read it in the email that tells them about the cancellation.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_reason(self) -> str:
        """One line, because it is shown in lists and mails."""
        return " ".join(str(self.cleaned_data["reason"]).split())
