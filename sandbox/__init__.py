"""A stateful stand-in for Stripe's test mode, in its own process and database.

It must not depend on the application that uses it; see README.md.
"""
