"""The protocol of Stripe's API: form bodies, errors, lists, expansion, idempotency. Independent of any resource."""
