"""The one way amounts are written in templates: `{% load money %}{{ line.amount|money }}`."""

from django import template
from django.utils.translation import get_language, to_locale

from money import Money

register = template.Library()


@register.filter
def money(amount: Money | None) -> str:
    """An amount in the reader's language; nothing for None."""
    if amount is None:
        return ""
    return amount.format(to_locale(get_language() or "en-gb"))
