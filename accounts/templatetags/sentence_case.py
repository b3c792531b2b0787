"""The headings and buttons of libraries in sentence case, like ours."""

from __future__ import annotations

import re

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
# A capital that begins a word, but not the first one; TOTP and QR stay.
_CAPITAL = re.compile(r"(?<=[\s-])[A-Z](?=[a-z])")


@register.filter(is_safe=True)
def sentence_case(text: SafeString) -> SafeString:
    """Write "Sign up" instead of "Sign Up". For the texts of a library, not for names."""
    return mark_safe(_CAPITAL.sub(lambda found: found[0].lower(), text.strip()))  # noqa: S308  # lower case stays safe
