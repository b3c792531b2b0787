"""The registry of domain handlers. The domains' AppConfigs fill it at start (`payments.domains`)."""

from __future__ import annotations

from payments.contracts import DomainHandler


class DomainAlreadyRegistered(Exception):
    """Two handlers claim one domain name."""


class UnknownDomain(Exception):
    """No handler is registered under this name: the domain was removed, or the line was tampered with."""


_handlers: dict[str, DomainHandler] = {}


def register(handler: DomainHandler) -> None:
    """Let a domain sell through payments. Raises DomainAlreadyRegistered, or TypeError if it is not a handler."""
    if not isinstance(handler, DomainHandler):
        raise TypeError(f"{handler!r} does not inherit from payments.contracts.DomainHandler")
    if handler.domain in _handlers:
        raise DomainAlreadyRegistered(handler.domain)
    _handlers[handler.domain] = handler


def handler_for(domain: str) -> DomainHandler:
    """The handler of `domain`. Raises UnknownDomain."""
    try:
        return _handlers[domain]
    except KeyError:
        raise UnknownDomain(domain) from None


def registered_domains() -> frozenset[str]:
    """The names of all domains with a handler."""
    return frozenset(_handlers)


def revoke_label_of(domain: str) -> str:
    """What pages call the revocation of units of this domain, which may have been removed since the sale."""
    return _handlers[domain].revoke_label if domain in _handlers else DomainHandler.revoke_label


def revoked_label_of(domain: str) -> str:
    """What pages call units of this domain that were revoked."""
    return _handlers[domain].revoked_label if domain in _handlers else DomainHandler.revoked_label
