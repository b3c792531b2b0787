"""Pages for the developer: what was paid, what was told to whom."""
