"""Events and their signed delivery to endpoints, with retries and switches to misbehave."""
