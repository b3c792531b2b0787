"""Form fields for profiles: a searchable list, time zones, and several names on one line."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.folding import fold
from accounts.places_and_languages import canonical_time_zones, time_zones, zones_by_city


class ListedInput(forms.TextInput):
    """A text input with a list to choose from. Browsers search the list as people type, without a script of ours."""

    def __init__(self, options: Sequence[tuple[str, str]], attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.options = options

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any | None = None
    ) -> SafeString:
        list_id = f"{(attrs or {}).get('id', name)}_list"
        control = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        options = format_html_join("", '<option value="{}">{}</option>', self.options)
        return format_html('{}<datalist id="{}">{}</datalist>', control, list_id, options)


class TimeZoneField(forms.CharField):
    """A time zone by any of its IANA names or its city alone; its value is the name we store.

    Case does not matter, and spaces are fine.
    """

    def __init__(self, **kwargs: Any) -> None:
        widget = ListedInput(time_zones(), {"autocomplete": "off"})
        super().__init__(**{"max_length": 50, "widget": widget, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return canonical_time_zones().get(str(value).lower(), value)

    def to_python(self, value: Any) -> str:
        typed = super().to_python(value) or ""
        names = canonical_time_zones()
        key = typed.strip().replace(" ", "_").lower()
        found = names.get(key) or zones_by_city().get(fold(key))
        if key and not found:
            raise ValidationError("Choose a time zone from the list, for example Europe/London.", code="unknown")
        return found or ""


class NamesField(forms.CharField):
    """Several languages or regions on one line, by name or code, separated by commas. Its value is a list of codes."""

    def __init__(
        self,
        *,
        choices: Sequence[tuple[str, str]],
        code_of: Callable[[str], str | None] = lambda _: None,
        at_most: int = 20,
        **kwargs: Any,
    ) -> None:
        """`code_of` may accept codes that are not among the choices."""
        super().__init__(max_length=1000, **kwargs)
        self.code_of = code_of
        self.names = dict(choices)
        self.codes = {name.casefold(): code for code, name in choices} | {code.casefold(): code for code in self.names}
        self.at_most = at_most

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return ", ".join(str(self.names.get(code, code)) for code in value)
        return value

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        codes = [self._code(word.strip()) for word in typed.split(",") if word.strip()]
        if self.required and not codes:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(codes) > self.at_most:
            raise ValidationError(f"At most {self.at_most}.", code="too_many")
        return list(dict.fromkeys(codes))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def _code(self, word: str) -> str:
        code = self.codes.get(word.casefold()) or self.code_of(word)
        if code:
            return code
        near = difflib.get_close_matches(word.casefold(), self.codes, n=1)
        hint = f" Did you mean {self.names[self.codes[near[0]]]}?" if near else ""
        raise ValidationError(f"We do not know “{word}”.{hint}", code="unknown")
