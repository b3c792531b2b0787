"""Who may receive what: asked at each sending, since people leave and roles change."""

from __future__ import annotations

from accounts.models import User
from webhooks.models import Endpoint

SEES_EVERYTHING = "webhooks.receive_all_events"


def may_see_everything(user: User) -> bool:
    """Whether this member of staff may be sent the events of all people."""
    return user.is_active and user.is_staff and user.has_perm(SEES_EVERYTHING)


def may_still_receive(endpoint: Endpoint) -> bool:
    """Whether the owner still has an account, and for one of staff still the role."""
    return may_see_everything(endpoint.user) if endpoint.sees_everything else endpoint.user.is_active
