"""How Stripe's API talks: form bodies, errors, lists, expansion, idempotency. Knows no particular resource."""
