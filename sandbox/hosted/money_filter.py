"""The template filter that formats amounts."""

from django import template

from sandbox.protocol.money import written

register = template.Library()


@register.filter
def money(amount_minor: int, currency: str) -> str:
    """Minor units and a currency, written out."""
    return written(amount_minor, currency)
