"""Requests for lessons and lessons, for programs."""
