"""The only way to write amounts in templates: `{% load money %}{{ line.amount|money }}`."""

from django import template
from django.utils.translation import get_language, to_locale

from money import Money

register = template.Library()


@register.filter
def money(amount: Money | None) -> str:
    """Format an amount in the reader's language; an empty text for None."""
    if amount is None:
        return ""
    return amount.format(to_locale(get_language() or "en-gb"))
