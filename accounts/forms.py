"""The forms for signing up, the profile and the teacher's page."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.forms import LoginForm, SignupForm
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.text import format_lazy

from accounts.applications import Application
from accounts.form_fields import NamesField, TimeZoneField
from accounts.models import Teacher, User, UserManager
from accounts.names import NameField
from accounts.one_line import LineFormField
from accounts.places_and_languages import is_region, languages, regions
from accounts.time_zones import COOKIE, known_or_none
from uploads.form_fields import PictureFormField
from uploads.pictures import PORTRAIT

# The languages that the site and its mails are written in so far.
SITE_LANGUAGES = [("en-gb", "English")]
_MARKDOWN_HELP = "You may use Markdown: **bold**, *italic*, lists and [links](https://example.org)."


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth has no types
    """Name, email address and password."""

    full_name = NameField(label="Name", widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}))
    field_order: ClassVar[list[str]] = ["full_name", "email", "password1"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One line instead of Django's list of four rules; a password that breaks one is refused with that rule's
        # message.
        self.fields["password1"].help_text = "At least 10 characters. A few unrelated words are good."

    def full_clean(self) -> None:
        """Validate, and let the browser focus the first field that was refused instead of the first of all."""
        super().full_clean()
        refused = next((name for name in self.fields if name in self.errors), None)
        if refused:
            for name, field in self.fields.items():
                field.widget.attrs.pop("autofocus", None)
                if name == refused:
                    field.widget.attrs["autofocus"] = True

    def save(self, request: HttpRequest) -> User | None:
        """Save the new user; allauth returns None if the address is taken."""
        user: User | None = super().save(request)
        return user

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        """Keep the name and the time zone that the browser reported, so that times are right from the start."""
        user.full_name = self.cleaned_data["full_name"]
        user.time_zone = known_or_none(request.COOKIES.get(COOKIE)) or user.time_zone
        user.save(update_fields=["full_name", "time_zone"])


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    """Email address and password; the address is found in whatever form it is typed."""

    def clean_login(self) -> str:
        return UserManager.normalize_email(self.cleaned_data["login"])


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy only, not at run time
    """What people may change about themselves. The email address has its own pages, because it must be verified."""

    full_name = NameField(label="Name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    time_zone = TimeZoneField(help_text="Used for the times of lessons and workshops. Type a city to search.")
    language = forms.ChoiceField(choices=SITE_LANGUAGES, help_text="Pages and emails are written in it.")

    class Meta:
        model = User
        fields = ("full_name", "time_zone", "language")


# What people call countries, where that is neither the name nor the code in the list.
_COMMON_NAMES = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "usa": "US", "u.s.": "US", "u.s.a.": "US", "u.k.": "GB", "america": "US",
    "united states of america": "US", "the united states": "US", "the united kingdom": "GB", "holland": "NL",
    "the netherlands": "NL", "uae": "AE", "czech republic": "CZ", "turkey": "TR", "korea": "KR", "ivory coast": "CI",
    "hong kong": "HK", "macau": "MO", "burma": "MM", "republic of ireland": "IE", "deutschland": "DE", "españa": "ES",
    "schweiz": "CH", "suisse": "CH", "österreich": "AT", "italia": "IT", "polska": "PL", "sverige": "SE",
}  # fmt: skip


def _region_code(word: str) -> str | None:
    """Accept common names such as UK, and the code of a part of a country, such as us-ca."""
    if common := _COMMON_NAMES.get(word.casefold()):
        return common
    code = word.upper()
    try:
        is_region(code)
    except ValidationError:
        return None
    return code


class TeacherDetails(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """What an application and the teacher's page have in common."""

    display_name = NameField(label="Name shown to students", max_length=100)
    headline = LineFormField(
        max_length=140, required=False, help_text="One line under your name, such as: Cello for beginners of any age."
    )
    biography = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 10}), help_text=_MARKDOWN_HELP
    )
    languages = NamesField(
        choices=languages(), label="Languages you teach in", help_text="Separated by commas: English, French."
    )
    regions = NamesField(
        choices=regions(),
        code_of=_region_code,
        label="Where you may teach",
        help_text="Countries, or parts of them by code, separated by commas: United Kingdom, US-CA.",
    )

    class Meta:
        model = Teacher
        fields: tuple[str, ...] = ("display_name", "headline", "biography", "languages", "regions")


class ApplicationForm(TeacherDetails):
    """An application to teach. Staff decide on the basis of what it says, so the biography is required."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        biography = self.fields["biography"]
        biography.required = True
        biography.help_text = format_lazy("What you teach, and your experience and qualifications. {}", _MARKDOWN_HELP)

    def application(self) -> Application:
        """The application as filled in; the form must be valid."""
        return Application(**self.cleaned_data)


class TeacherProfileForm(TeacherDetails):
    """The teacher's public page."""

    photo = PictureFormField(
        shape=PORTRAIT, required=False, help_text="JPEG, PNG or WebP up to 5 MB. Shown as a square."
    )
    tax_number = LineFormField(
        max_length=40,
        required=False,
        help_text="Printed with your name on receipts where you are the seller, for example GB123456789. Not on your page.",
    )

    class Meta(TeacherDetails.Meta):
        fields = ("photo", *TeacherDetails.Meta.fields, "tax_number")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Previews the text as the teacher types; without JavaScript the page shows it after saving.
        self.fields["biography"].widget.attrs |= {
            "hx-post": reverse_lazy("accounts:markdown_preview"),
            "hx-trigger": "input changed delay:500ms",
            "hx-target": "#preview",
            "hx-params": "biography,csrfmiddlewaretoken",
        }
