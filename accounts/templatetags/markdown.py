"""`{% load markdown %}{{ text|markdown }}`."""

from django import template
from django.utils.safestring import SafeString

from accounts.markdown import render_markdown

register = template.Library()


@register.filter
def markdown(text: str | None) -> SafeString:
    """Render people's Markdown as safe HTML."""
    return render_markdown(text or "")
