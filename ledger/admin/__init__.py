from ledger.admin import accounts, journals, periods  # noqa: F401  # each registers its pages
