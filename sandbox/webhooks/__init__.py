"""Events and their signed delivery to endpoints, with retries, and with faults on request."""
