"""Payments for programs: parse, call what the pages call, answer in JSON."""
