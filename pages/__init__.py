"""The texts of the site itself: terms, privacy, refunds, help, contact and who sells here.

Staff edit them in the admin. Each change is a new version; earlier ones stay as they were, because orders record
which version of the terms their buyer accepted. Knows nothing of orders.
"""
