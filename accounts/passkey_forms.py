"""allauth's passkey forms, made to refuse any malformed answer from a browser instead of failing.

The parsers behind them raise KeyError, IndexError, InvalidSignature and more for what an attacker may post.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms
from django.core.exceptions import ValidationError
from django.forms import HiddenInput, JSONField

from accounts.strict_json import NotPlainJson, read_json


def _refusal() -> ValidationError:
    refusal: ValidationError = get_adapter().validation_error("incorrect_code")
    return refusal


class CredentialField(JSONField):
    """The browser's answer."""

    widget = HiddenInput

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return read_json(value)
        except NotPlainJson as error:
            raise _refusal() from error

    def bound_data(self, _data: Any, initial: Any) -> Any:
        """Never show the answer again: it is valid for one challenge only."""
        return initial


class AddForm(forms.AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    credential = CredentialField()

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            raise
        except Exception as error:
            raise _refusal() from error
        return cleaned


class _AnswerForm(forms.AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    credential = CredentialField()

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()
        except ValidationError:
            raise
        except Exception as error:
            raise _refusal() from error


class AuthenticateForm(_AnswerForm):
    """The second step of signing in."""


class LoginForm(_AnswerForm, forms.LoginWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """Signing in with a passkey alone."""


class ReauthenticateForm(_AnswerForm, forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """Confirming again who one is."""
