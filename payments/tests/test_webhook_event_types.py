"""The types of event that Stripe must send."""

from django.core.management import call_command

from payments.webhook.event_types import LISTENED_FOR, LISTENED_FOR_ON_ACCOUNTS
from payments.webhook.routing import ACTED_ON, ACTED_ON_FOR_ACCOUNTS, registered_types


def test_the_types_listened_for_are_exactly_those_acted_on():
    assert set(LISTENED_FOR) == ACTED_ON | registered_types()
    assert set(LISTENED_FOR_ON_ACCOUNTS) == ACTED_ON_FOR_ACCOUNTS


def test_the_command_prints_them_as_the_stripe_cli_takes_them(capsys):
    call_command("webhook_event_types")
    assert capsys.readouterr().out == ",".join(LISTENED_FOR) + "\n"
    call_command("webhook_event_types", "--accounts")
    assert capsys.readouterr().out == ",".join(LISTENED_FOR_ON_ACCOUNTS) + "\n"
