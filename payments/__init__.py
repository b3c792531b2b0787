"""Sells whatever a registered domain can quote and deliver, and keeps account of the money from then on.

Cart, checkout, sessions and settlement are modules of the app itself. A package each have `refunds`, `cancellations`,
`disputes` and `payouts` (to teachers); `earnings` (the journals of sales, and what teachers see of them);
`reconciliation` (Stripe's statement against the books) and `rebuilding` (the books derived a second time); `webhook`
(events of Stripe, in and processed). Only `gateway`, the packages' own gateways and `webhook` talk to Stripe.

Invariants (`invariants.py` lists them all):
- A price comes from the domain's quote, never from the page. What a person confirms is what was shown, or is refused.
- An order has at most one payable session. One function settles it, once; what cannot be delivered is refunded.
- Refunds and disputes together never exceed what was paid, of a payment or of a line. The database counts and caps both.
- Money moves only by journals of the ledger, in the transaction that records why; each has a source that cannot repeat.
- A payout takes what is available to its teacher, and is one transfer, whatever is repeated or killed.
- No lock is held across a call to Stripe. What must still happen is a row of durable work.

Must not know: any domain by name.
"""
