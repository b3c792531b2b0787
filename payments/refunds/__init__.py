"""Refunds: what is given back of a payment, from the request to Stripe's confirmation.

`plan` and `states` are the rules, free of the database. `requests` writes a refund before Stripe is called, under the
order's lock, and `allocations` assigns it to lines. `sending` carries it to Stripe as durable work; `recording` brings
our record to what Stripe reports, also for refunds made in its Dashboard. `decisions` takes what staff decide, after
`preview` has shown it. `effects` is what follows for student and teachers.
"""
