from ledger.models.account import Account
from ledger.models.journal import Journal, Posting

__all__ = ["Account", "Journal", "Posting"]
