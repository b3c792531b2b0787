"""The switches for tests under /_sandbox/: the clock, faults, deliveries."""
