"""How the page that documents the API shows the document's texts."""

from __future__ import annotations

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def with_code(text: str) -> SafeString:
    """The text with what stands between backticks as code."""
    parts = enumerate(str(text).split("`"))
    return format_html_join("", "{}", ((_as_code(part) if place % 2 else part,) for place, part in parts))


def _as_code(text: str) -> SafeString:
    return format_html_join("", "<code>{}</code>", [(text,)])
