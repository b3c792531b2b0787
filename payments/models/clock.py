"""The database's clock."""

from __future__ import annotations

from typing import Any

from django.db import models


class ClockTimestamp(models.Func):
    """The moment at which the statement runs. `Now` is when the transaction began, perhaps before it waited for a lock."""

    function = "clock_timestamp"

    def __init__(self, **extra: Any) -> None:
        super().__init__(output_field=models.DateTimeField(), **extra)
