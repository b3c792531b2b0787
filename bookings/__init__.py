"""Private lessons: requested, accepted, paid, held."""
