"""A site with nothing but dj-stripe, set up as its documentation says: what the sandbox's webhooks are delivered to."""
