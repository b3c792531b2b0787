"""`{% load addresses %}{{ person.email|readable_address }}`."""

from django import template

from accounts import canonical_addresses

register = template.Library()


@register.filter
def readable_address(address: str) -> str:
    """The address as its owner writes it, with an international domain in its own letters."""
    return canonical_addresses.readable_address(address)
