"""The platform's books: double entry, in PostgreSQL. Knows teachers, but neither orders nor Stripe.

A journal records one happening. Its postings add up to zero in each currency, and nothing that was recorded is ever
changed or deleted: a mistake is corrected by another journal. Triggers enforce both, against raw SQL as well.

Callers write with `journals.record_journal`, in the transaction that decides the happening, and read with `balances`.
`chart.py` says what each account means; docs/decisions/ledger.md says why it is built this way.

Invariants: every journal balances; each source is recorded once; a balance is the sum of postings, however it is read.
"""
