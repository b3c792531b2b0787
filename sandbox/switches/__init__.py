"""Levers for tests under /_sandbox/: the clock, faults, deliveries."""
