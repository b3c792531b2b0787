"""Subscriptions: plans that people pay for every month or year, and what a paid period gives them.

Stripe charges the renewals. `recording` brings our record to what Stripe reports, and each paid invoice becomes an
ordinary order of this domain, settled by payments. `periods` opens what was paid for, and closes it.

Invariants: a person has at most one subscription that has not ended; an invoice pays for one period, once, however often
and in whatever order Stripe reports it; access ends with the subscription, and a failed renewal leaves time to pay.

What was paid is divided into lesson credits and slices of access (`sharing`). Each of these parts ends once, in `periods`,
`closing` or `credits`, with one journal (`books`); `access` and `use` are what domains ask and report.

Must not know: bookings, workshops and courses, which ask it what a student may use.
"""

# The domain's name in orders and in the metadata of payments at Stripe.
DOMAIN = "subscriptions"
