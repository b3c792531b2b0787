"""Durable work: rows in PostgreSQL are the truth; Celery only wakes the workers that do it.

A row that must be worked on is a model built on `DurableWork`. It is written in the transaction that decided it,
claimed with SKIP LOCKED, retried with growing delays, parked after its last attempt, and seen and retried in the admin.
Invariant: a row is lost by no crash of worker, broker or web process; its `perform` may run more than once.
"""
