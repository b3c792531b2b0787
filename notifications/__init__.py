"""Mails as rows, and alerts to staff. Knows nothing of payments or lessons: callers pass a template and its context.

Invariants: a mail is queued once per key, however often the caller repeats it; a failure to deliver it never affects
the caller; at most one alert per key is open.
"""
