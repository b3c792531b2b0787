"""Cancellations: `lines` cancels what was bought, by its student or its teacher; `sales` cancels all that was sold of an item.

Knows no domain: the handler says what can be cancelled and what comes back. The refund is requested in the same
transaction as the places are freed.
"""
