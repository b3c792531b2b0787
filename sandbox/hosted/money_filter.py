"""The template filter that formats amounts."""

from django import template

from sandbox.protocol.money import written

register = template.Library()


@register.filter
def money(amount_minor: int, currency: str) -> str:
    """Format an amount in minor units: `2000|money:"usd"` is $20.00."""
    return written(amount_minor, currency)
