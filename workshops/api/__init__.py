"""Workshop tickets for programs."""
