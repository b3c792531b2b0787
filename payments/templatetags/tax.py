"""The tax beside a price: `{% load tax %}{% tax_note "courses" %}`."""

from django import template

from payments.tax.words import note_beside_price

register = template.Library()


@register.simple_tag
def tax_note(domain: str) -> str:
    """What stands beside a price of this domain; empty without a tax."""
    return note_beside_price(domain)
