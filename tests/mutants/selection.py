"""The rules that are changed, and the tests that must notice. None of them needs a database."""

RULES = [
    "money/shares.py",
    "ledger/entries.py",
    "ledger/chart.py",
    "payments/refunds/plan.py",
    "payments/refunds/states.py",
    "payments/earnings/entries.py",
    "payments/disputes/claims.py",
    "payments/disputes/entries.py",
    "payments/disputes/plan.py",
    "payments/payouts/entries.py",
    "payments/payouts/rules.py",
]
TESTS = [
    "money/tests/test_shares.py",
    "ledger/tests/test_entries.py",
    "payments/tests/test_refund_plan.py",
    "payments/tests/test_refund_states.py",
    "payments/tests/test_earnings_entries.py",
    "payments/tests/test_dispute_plan.py",
    "payments/tests/test_dispute_claims.py",
    "payments/tests/test_payout_rules.py",
    "payments/tests/test_entries_of_money.py",
    "payments/tests/test_every_sequence.py",
]
