"""Teachers with earnings and staff who may pay them, made in the running site's own database by a management command."""

import json
import uuid

from django.db import transaction

from accounts.addresses import record_verified_address
from accounts.models import Teacher, User
from ledger.entries import AccountKind, credit, debit
from ledger.journals import record_journal
from money import Money
from tests.browser.people import sign_in

EARNED = Money(9000, "USD")


@transaction.atomic
def print_payee():
    """Make a teacher with 90.00 USD available, and print them and a member of staff as one line of JSON."""
    name = uuid.uuid4().hex[:8]
    user = User.objects.create_user(f"payee-{name}@journeys.example", full_name=f"Payee {name}")
    record_verified_address(user)
    teacher = Teacher.objects.create(
        user=user, slug=f"payee-{name}", display_name=f"Payee {name}", status=Teacher.Status.APPROVED
    )
    entries = [
        debit(AccountKind.STRIPE_CLEARING, EARNED),
        credit(AccountKind.TEACHER_AVAILABLE, EARNED, teacher.pk),
    ]
    record_journal(source=f"test:{name}", kind="test", entries=entries)
    staff = User.objects.create_user(
        f"finance-{name}@journeys.example", full_name="Fay Nance", is_staff=True, is_superuser=True
    )
    record_verified_address(staff)
    made = {"name": teacher.display_name, "teacher": sign_in(user), "staff": sign_in(staff), "email": user.email}
    print(json.dumps(made))  # noqa: T201
