"""What we write into Stripe's metadata, read back. It says whose an object is and cross-checks; the stored ids decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

# What stands for the domain of an order of several.
SEVERAL_DOMAINS: Final = "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OurMetadata:
    """Empty where it says nothing. People edit metadata in Stripe's Dashboard, so each part may be anything."""

    order: str = ""
    payment: str = ""
    buyer: str = ""
    domains: frozenset[str] = frozenset()

    @classmethod
    def read(cls, metadata: object) -> Self:
        """Read the metadata of an object of Stripe's, which may be absent. Raises TypeError if it is no mapping."""
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
        """Whether it names anything of ours. What names nothing was sold by another product on the same account."""
        return bool(self.order or self.payment or self.domains)
