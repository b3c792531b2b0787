"""A fourth domain, for tests only: a few days away with a teacher, sold by the place.

It shows everything that a new domain needs. No other app refers to it; all tests run with it installed.
"""

DOMAIN = "retreats"
