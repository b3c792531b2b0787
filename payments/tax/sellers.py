"""In whose name a taxed line is sold, where the teacher owes the tax."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounts.models import Teacher


@dataclass(frozen=True, slots=True)
class Seller:
    """A teacher as receipts name them. The number is empty if they have given none."""

    name: str
    tax_number: str


NO_SELLER = Seller("", "")


def sellers_of(teacher_ids: Iterable[int]) -> Mapping[int, Seller]:
    """The sellers by teacher."""
    rows = Teacher.objects.filter(pk__in=teacher_ids).values_list("pk", "display_name", "tax_number")
    return {pk: Seller(name, tax_number) for pk, name, tax_number in rows}
