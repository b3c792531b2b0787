"""Where Stripe's page sends a student afterwards: to this site, or to a site that the operator allows."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

_LONGEST = 2000


class AddressNotAllowed(Exception):
    """The address is not on a site that the operator allows. The message is for the caller."""

    def __init__(self) -> None:
        super().__init__("This address is not on a site that students may be sent to.")


@dataclass(frozen=True, slots=True)
class ReturnAddresses:
    """The pages after paying, and after turning back."""

    success: str
    cancel: str


def own_addresses() -> ReturnAddresses:
    """This site's own pages. Stripe puts the session's id in place of the braces."""
    return ReturnAddresses(
        success=f"{settings.BASE_URL}{reverse('payments:return')}?session_id={{CHECKOUT_SESSION_ID}}",
        cancel=f"{settings.BASE_URL}{reverse('payments:cart')}?from=payment",
    )


def own_return_url() -> str:
    """The page to which a bank sends a student who confirmed a saved card. Stripe adds the id of the intent."""
    return f"{settings.BASE_URL}{reverse('payments:return')}"


def lead_home(addresses: ReturnAddresses) -> bool:
    """Whether these are this site's own pages, perhaps under a name that it had before."""
    own = own_addresses()
    pairs = ((addresses.success, own.success), (addresses.cancel, own.cancel))
    return all(_is_ours(address, at=ours) for address, ours in pairs)


def _is_ours(address: str, *, at: str) -> bool:
    found, ours = urlsplit(address), urlsplit(at)
    is_elsewhere = f"{found.scheme}://{found.netloc}" in settings.CHECKOUT_RETURN_ORIGINS
    return (found.path, found.query) == (ours.path, ours.query) and not is_elsewhere


def allowed_address(address: str) -> str:
    """The address, if it is on this site or one of CHECKOUT_RETURN_ORIGINS. Raises AddressNotAllowed."""
    # Browsers read a backslash as a slash and leave controls out, so the host may not be what it seems.
    if len(address) > _LONGEST or "\\" in address or not address.isascii() or not address.isprintable():
        raise AddressNotAllowed
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise AddressNotAllowed from error
    origin = f"{parts.scheme}://{parts.netloc}"
    if " " in address or origin not in {settings.BASE_URL, *settings.CHECKOUT_RETURN_ORIGINS}:
        raise AddressNotAllowed
    return address
