"""Teachers with money and accounts, and payouts in each state, made by the public functions."""

import itertools
import uuid

from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.runner import claim, run
from ledger.balances import balance_of
from ledger.entries import AccountKind, credit, debit
from ledger.journals import record_journal
from money import Money
from payments.models import ConnectedAccount
from payments.payouts import gateway
from payments.payouts.accounts import refresh_account, start_onboarding
from payments.payouts.decisions import approve_payout
from payments.payouts.requests import request_payout

_counter = itertools.count(1)


def earn(teacher, minor, currency="GBP"):
    """Money that is available to a teacher; less than zero takes some away, as a refund does."""
    amount = Money(abs(minor), currency)
    entries = [
        debit(AccountKind.STRIPE_CLEARING, amount),
        credit(AccountKind.TEACHER_AVAILABLE, amount, teacher.pk),
    ]
    if minor < 0:
        entries = [
            debit(AccountKind.TEACHER_AVAILABLE, amount, teacher.pk),
            credit(AccountKind.STRIPE_CLEARING, amount),
        ]
    record_journal(source=f"test:{uuid.uuid4()}", kind="test", entries=entries)


def ready_account(teacher, **changes):
    """The teacher's account, as if Stripe had reported it ready."""
    fields = {
        "stripe_account_id": f"acct_{uuid.uuid4().hex[:16]}",
        "country": "GB",
        "are_details_submitted": True,
        "can_receive_transfers": True,
        "can_pay_out": True,
        "state_as_of": timezone.now(),
    }
    return ConnectedAccount.objects.create(teacher=teacher, **{**fields, **changes})


def teacher_with(minor=9000, currency="GBP", **changes):
    """A teacher with this much available, and an account that can be paid."""
    teacher = TeacherFactory(**changes)
    ready_account(teacher)
    if minor:
        earn(teacher, minor, currency)
    return teacher


def requested(teacher=None, minor=None, currency="GBP"):
    """A requested payout, of all that is available unless an amount is given."""
    teacher = teacher or teacher_with(currency=currency)
    amount = None if minor is None else Money(minor, currency)
    return request_payout(teacher=teacher, currency=currency, amount=amount, requested_by_id=teacher.user_id)


def approved(teacher=None, minor=None, currency="GBP"):
    payout = requested(teacher, minor, currency)
    return approve_payout(payout_id=payout.pk, by=UserFactory(is_staff=True))


def books_of(teacher, currency="GBP"):
    """What is available, and what is claimed for payouts, in minor units."""
    kinds = (AccountKind.TEACHER_AVAILABLE, AccountKind.TEACHER_IN_PAYOUT)
    return tuple(balance_of(kind, currency, teacher_id=teacher.pk).minor for kind in kinds)


def balance(kind, currency="GBP"):
    return balance_of(kind, currency).minor


def perform(model):
    """Perform the due work of one kind as a worker would; returns the rows."""
    done = claim(model, limit=100)
    for work in done:
        run(work)
    return done


# At the sandbox.


def onboarded(sandbox, teacher, *, account_number="", outcome="submit", country="US"):
    """The teacher's account, set up on the sandbox's pages; verified unless the outcome says otherwise."""
    link = start_onboarding(teacher, country=country, return_url="http://site/return", refresh_url="http://site/renew")
    fill_in(sandbox, link, account_number=account_number, outcome=outcome)
    sandbox.switch("clock", advance=10)
    account = ConnectedAccount.objects.get(teacher=teacher, replaced_at=None)
    return refresh_account(account)


def fill_in(sandbox, link, *, account_number="", outcome="submit"):
    """Follow an onboarding link and submit the form; returns where the sandbox sends the teacher."""
    form = sandbox.http.get(link, allow_redirects=False, timeout=30).headers["Location"]
    data = {"outcome": outcome, "account_number": account_number}
    answer = sandbox.http.post(f"{sandbox.url}{form}", data=data, allow_redirects=False, timeout=30)
    assert answer.status_code == 303, answer.text[:500]
    return answer.headers["Location"]


def fund(sandbox, minor, currency="usd"):
    """Money in the platform's balance that is available at once."""
    answer = sandbox.http.post(
        f"{sandbox.url}/v1/charges",
        data={"amount": minor, "currency": currency, "source": "tok_bypassPending"},
        timeout=30,
    )
    assert answer.ok, answer.text
    return answer.json()


def transfers_at(sandbox, payout):
    return sandbox.get("transfers", transfer_group=f"payout_{payout.reference}")["data"]


def available_at_stripe(currency="USD"):
    return gateway.retrieve_available_balance().get(currency)
