"""What platform and teachers earn: the rules that turn sales, refunds and Stripe's costs into journals of the ledger.

`entries` holds the rules, free of Django. `books` records them within the transaction of what happened. Nothing here
decides whether a refund or payout is allowed.
"""
