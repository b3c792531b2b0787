"""Covers and portraits: `{% artwork subject title %}`, `{% avatar teacher "large" %}`."""

from __future__ import annotations

from django import template

from accounts.models import Teacher
from catalogue.artwork import motif_for, tone_for, turn_for
from catalogue.models import Subject

register = template.Library()


@register.inclusion_tag("catalogue/_artwork.html")
def artwork(subject: Subject | None, words: str = "") -> dict[str, object]:
    """Draw the subject's cover; `words`, such as a title, make covers of one subject differ. Purely decorative."""
    return {
        "tone": subject.tone if subject else tone_for(words),
        "motif": subject.motif if subject else motif_for(words),
        "turn": turn_for(words),
    }


@register.inclusion_tag("catalogue/_avatar.html")
def avatar(teacher: Teacher, size: str = "") -> dict[str, object]:
    """Show a teacher's photo or, without one, their initials. Without alternative text: the name stands beside it."""
    words = teacher.display_name.split()
    initials = "".join(word[0] for word in (words[:1] + words[1:][-1:]))
    return {"photo": teacher.photo, "initials": initials.upper(), "tone": tone_for(teacher.slug), "size": size}
