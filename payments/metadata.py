"""Our metadata on Stripe's objects, as read back. It only identifies and cross-checks: the stored ids decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

# Written as the domain of an order whose lines belong to several.
SEVERAL_DOMAINS: Final = "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OurMetadata:
    """Each part is empty if it is missing, and may be any text, because people edit metadata in Stripe's Dashboard."""

    order: str = ""
    payment: str = ""
    buyer: str = ""
    domains: frozenset[str] = frozenset()

    @classmethod
    def read(cls, metadata: object) -> Self:
        """Read the metadata of a Stripe object, which may have none. Raises TypeError if it is not a mapping."""
        parts = metadata or {}
        if not isinstance(parts, Mapping):
            raise TypeError("metadata expected")
        named = f"{parts.get('domain') or ''},{parts.get('domains') or ''}".split(",")
        return cls(
            order=str(parts.get("order") or ""),
            payment=str(parts.get("payment") or ""),
            buyer=str(parts.get("buyer") or ""),
            domains=frozenset(name.strip() for name in named) - {"", SEVERAL_DOMAINS},
        )

    @property
    def is_ours(self) -> bool:
        """Whether it names anything of ours. Otherwise another product on the same account made the object."""
        return bool(self.order or self.payment or self.domains)
