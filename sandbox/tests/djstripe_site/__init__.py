"""A site with only dj-stripe, set up as in its documentation, which receives the sandbox's webhooks."""
