"""A fourth domain for tests only: a few days away with a teacher, sold by the place.

It shows everything that a new domain has to contain. No other app knows it; the whole suite runs with it installed.
"""

DOMAIN = "retreats"
