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


def handlers() -> list[DomainHandler]:
    """All handlers."""
    return list(_handlers.values())


def registered_domains() -> frozenset[str]:
    """The names of all domains with a handler."""
    return frozenset(_handlers)


def domains_of_carts() -> dict[str, str]:
    """What a cart can hold: each domain's name, and what it calls one item. In the sequence of the names."""
    return {domain: each.label for domain, each in sorted(_handlers.items()) if each.is_sold_in_carts}


def revoke_words(domain: str, count: int) -> str:
    """What pages call the revocation of units of this domain, which may have been removed since the sale."""
    of = _handlers.get(domain, DomainHandler)
    return of.revoke_one if count == 1 else of.revoke_many


def revoked_words(domain: str, count: int) -> str:
    """What pages say of units of this domain that were revoked."""
    of = _handlers.get(domain, DomainHandler)
    return of.revoked_one if count == 1 else of.revoked_many.format(count=count)


def delivery_words(domain: str) -> str:
    """What the link to a delivered line of this domain says."""
    return _handlers.get(domain, DomainHandler).delivery_action


def earned_words() -> list[str]:
    """When the teachers of each domain have earned their share, in the order of their names."""
    return [handler.earned_by for _, handler in sorted(_handlers.items()) if handler.earned_by]
