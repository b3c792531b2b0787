"""Signals about durable work, for what watches it from above."""

from django.dispatch import Signal

# One claimed row was performed: sender is its model; `work`, `outcome` (done, failed, postponed, parked, lost) and `seconds`.
# Receivers must not touch the database: the outcome is recorded already, and the next row waits.
work_ended = Signal()
