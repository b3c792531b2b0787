"""Schema of the sandbox's own SQLite file."""
