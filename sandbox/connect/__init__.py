"""Connect: connected accounts under the platform, and the money that moves to them and out of them.

An account's objects are kept apart (`store.acting_for`), and its events carry the account's id. Payments know nothing
of this package: it follows their charges through `payments.balance`.
"""
