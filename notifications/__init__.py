"""Mails as rows, and alerts to staff. Knows no payment and no lesson: callers bring a template and its words.

Invariants: a mail is queued once per key, whatever is repeated; its failure never touches whoever queued it; an alert
is open once per key.
"""
