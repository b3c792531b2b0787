"""Webhooks that Lectern sends: people's own programs hear of their orders, lessons, sales and payouts.

After Standard Webhooks. An app announces an event in the transaction that decides it (`announcing.announce`); the rows
of the deliveries are written there, for every endpoint that wants the event. Workers of a queue of its own send them.
Invariants: an event is announced once, each delivery keeps its `webhook-id` for ever, and no request leaves for an
address that is not public. Knows none of the apps that announce. What Stripe sends to us is in `payments.webhook`.
"""
