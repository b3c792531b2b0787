"""The billing portal, where customers manage their subscriptions, payment methods and details."""
