"""`full_name__resembles="muller"`: what a text contains when both are folded. For the lists of staff, which have no index.

The folding of the database is the same as `accounts.folding` for every Latin letter; it needs no extension.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Lookup, TextField
from django.db.models.sql.compiler import SQLCompiler

from accounts.folding import fold

_PLAIN = "łŁđĐðÐøØıħĦŧŦŋŊς’‘‛ʼ"
_TYPED = "llddddooihhttnnσ''''"
_PAIRS = (("ß", "ss"), ("ẞ", "ss"), ("æ", "ae"), ("Æ", "ae"), ("œ", "oe"), ("Œ", "oe"), ("þ", "th"), ("Þ", "th"))


@CharField.register_lookup
@TextField.register_lookup
class Resembles(Lookup):
    """Whether a text contains another, without regard to case and accents."""

    lookup_name = "resembles"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        folded = f"translate(regexp_replace(normalize({column}, NFKD), '[\u0300-\u036f]', '', 'g'), %s, %s)"
        values = [*params, _PLAIN, _TYPED]
        for letter, pair in _PAIRS:
            folded = f"replace({folded}, %s, %s)"
            values += [letter, pair]
        return f"strpos(lower({folded}), %s) > 0", (*values, fold(str(self.rhs)))
