"""Covers and portraits: `{% artwork subject title %}`, `{% avatar teacher "large" %}`."""

from __future__ import annotations

from typing import Protocol

from django import template

from accounts.models import Teacher
from accounts.names import initials
from catalogue.artwork import motif_for, tone_for, turn_for
from catalogue.models import Subject

register = template.Library()


class Picture(Protocol):
    """The picture of an item as its quote has it."""

    @property
    def url(self) -> str: ...
    @property
    def motif(self) -> str: ...
    @property
    def tone(self) -> str: ...


@register.inclusion_tag("catalogue/_artwork.html")
def artwork(subject: Subject | None, words: str = "") -> dict[str, object]:
    """Draw the subject's cover; `words`, such as a title, make covers of one subject differ. Purely decorative."""
    return {
        "tone": subject.tone if subject else tone_for(words),
        "motif": subject.motif if subject else motif_for(words),
        "turn": turn_for(words),
    }


@register.inclusion_tag("catalogue/_thumbnail.html")
def thumbnail_of(picture: Picture, words: str) -> dict[str, object]:
    """Show the small picture of a quoted item. `words`, its title, arrange the drawing. Purely decorative."""
    return {
        "url": picture.url,
        "tone": picture.tone or tone_for(words),
        "motif": picture.motif or motif_for(words),
        "turn": turn_for(words),
    }


@register.inclusion_tag("catalogue/_avatar.html")
def avatar(teacher: Teacher, size: str = "") -> dict[str, object]:
    """Show a teacher's photo or, without one, their initials. Without alternative text: the name stands beside it."""
    return {
        "photo": teacher.photo,
        "initials": initials(teacher.display_name),
        "tone": tone_for(teacher.slug),
        "size": size,
    }
