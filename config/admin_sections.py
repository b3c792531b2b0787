"""Which lists the admin has, grouped by what staff do with them. Lists in no group appear under "More"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """One list in the menu. `inside` are lists that are rarely needed: tabs above it, with no entry of their own."""

    model: str
    title: str
    # A name of Google's Material Symbols.
    icon: str
    query: str = ""
    # Which of `config.admin_needs` is counted beside it.
    counted: str = ""
    inside: Sequence[tuple[str, str]] = field(default=())


@dataclass(frozen=True, slots=True)
class Section:
    """One group of the menu."""

    title: str
    places: Sequence[Place]


# The lists of what is sold; a domain that is not here has its lists at the end of this section.
CATALOGUE: Final = "Catalogue"
SECTIONS: Final[Sequence[Section]] = (
    Section(
        "Sales",
        (
            Place(
                "payments.order",
                "Orders",
                "shopping_cart",
                inside=[("payments.document", "Receipts and credit notes")],
            ),
            Place("payments.payment", "Payments", "credit_card", inside=[("payments.chargelookup", "Fees to look up")]),
            Place(
                "payments.refund",
                "Refunds",
                "undo",
                counted="refunds",
                inside=[
                    ("payments.salecancellation", "Cancelled items"),
                    ("payments.linecancellation", "Cancelled purchases"),
                ],
            ),
            Place(
                "payments.dispute",
                "Disputes",
                "gavel",
                counted="disputes",
                inside=[("payments.disputeanswer", "Answers sent")],
            ),
            Place("payments.fraudwarning", "Fraud warnings", "warning", counted="warnings"),
            Place(
                "payments.discountcode", "Discount codes", "percent", inside=[("payments.redemption", "Uses of codes")]
            ),
            Place("payments.gift", "Gifts", "redeem"),
        ),
    ),
    Section(
        "Teachers' money",
        (
            Place("payments.earning", "Earnings", "savings"),
            Place(
                "payments.payout",
                "Payouts",
                "send_money",
                counted="payouts",
                inside=[("payments.payouttransfer", "Transfers"), ("payments.payoutreversal", "Taken back")],
            ),
            Place(
                "payments.connectedaccount",
                "Stripe accounts",
                "account_balance_wallet",
                inside=[("payments.bankpayout", "Payouts to banks")],
            ),
        ),
    ),
    Section(
        "Books",
        (
            Place("ledger.account", "Accounts", "account_tree"),
            Place("ledger.journal", "Journals", "receipt_long"),
            Place("ledger.periodclose", "Closed periods", "event_busy"),
        ),
    ),
    Section(
        CATALOGUE,
        (
            Place("catalogue.subject", "Subjects", "category"),
            Place("catalogue.listing", "On the site", "storefront"),
            Place("pages.pageversion", "Terms and help pages", "article"),
            Place(
                "bookings.lessonoffer",
                "Lesson offers",
                "school",
                inside=[
                    ("bookings.lessonrequest", "Requests"),
                    ("bookings.lesson", "Lessons"),
                    ("bookings.teacherload", "Load of teachers"),
                    ("bookings.availability", "Availability"),
                    ("bookings.creditterms", "Teachers taking credits"),
                ],
            ),
            Place("workshops.workshop", "Workshops", "groups", inside=[("workshops.registration", "Registrations")]),
            Place(
                "courses.course",
                "Courses",
                "menu_book",
                inside=[
                    ("courses.enrolment", "Enrolments"),
                    ("courses.module", "Modules"),
                    ("courses.courselesson", "Course lessons"),
                ],
            ),
            Place(
                "subscriptions.subscription",
                "Subscriptions",
                "autorenew",
                inside=[
                    ("subscriptions.plan", "Plans"),
                    ("subscriptions.planprice", "Prices of plans"),
                    ("subscriptions.subscriptionperiod", "Paid periods"),
                    ("subscriptions.lessoncredit", "Lesson credits"),
                    ("subscriptions.accessslice", "Shares of access"),
                ],
            ),
        ),
    ),
    Section(
        "People",
        (
            Place("accounts.teacher", "Applicants", "how_to_reg", query="?status__exact=applied", counted="applicants"),
            Place("accounts.teacher", "Teachers", "co_present"),
            Place(
                "accounts.user",
                "People",
                "person",
                inside=[
                    ("account.emailaddress", "Email addresses"),
                    ("integrations.apitoken", "API tokens"),
                    ("payments.customer", "Customers at Stripe"),
                ],
            ),
            Place("auth.group", "Staff groups", "badge"),
        ),
    ),
    Section(
        "Operation",
        (
            Place("notifications.alert", "Alerts", "notifications", counted="alerts"),
            Place("notifications.mail", "Emails", "mail"),
            Place("payments.webhookevent", "Webhook events", "webhook"),
            Place(
                "webhooks.delivery",
                "Webhooks we send",
                "outgoing_mail",
                inside=[("webhooks.endpoint", "Endpoints")],
            ),
            Place("jobs.heartbeat", "Background work", "monitor_heart"),
            Place(
                "payments.reconciliationrun",
                "Reconciliation",
                "balance",
                inside=[
                    ("payments.difference", "Differences"),
                    ("payments.stripemovement", "Stripe's statement"),
                ],
            ),
            Place("waffle.switch", "Switches", "toggle_on"),
            Place(
                "operations.change",
                "Audit trail",
                "policy",
                inside=[("operations.emergencyaccess", "Emergency access")],
            ),
        ),
    ),
)
# dj-stripe's mirror has more lists than all our apps together, so one entry leads to its index.
MIRROR: Final = "djstripe"
MIRROR_PLACE: Final = Place("payments.mirrorsync", "Stripe's mirror", "database")
# Registered for the boxes of forms only.
HIDDEN: Final = frozenset({"auth.permission"})
