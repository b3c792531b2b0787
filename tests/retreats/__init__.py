"""A fourth domain, kept with the tests: a few days away with a teacher, sold by the place.

It shows all that a new domain has to write. No other app knows it; the whole suite runs with it installed.
"""

DOMAIN = "retreats"
