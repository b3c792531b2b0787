"""The audit trail: what changed, when, by whom, and what it was before. PostgreSQL writes it; staff read it.

See docs/decisions/audit.md.
"""
