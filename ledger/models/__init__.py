from ledger.models.account import Account
from ledger.models.checkpoint import Checkpoint, Numbering
from ledger.models.journal import Journal, Posting
from ledger.models.page import Page
from ledger.models.period import PeriodClose

__all__ = ["Account", "Checkpoint", "Journal", "Numbering", "Page", "PeriodClose", "Posting"]
