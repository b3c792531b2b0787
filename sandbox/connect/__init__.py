"""Connect: accounts of others under the platform, and the money that moves to them and out of them.

An account's objects live in a space of their own (`store.acting_for`); what happens there is told with the account's
name on it. Payments know nothing of this package: it follows their charges through `payments.balance`.
"""
