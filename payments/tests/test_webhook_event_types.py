"""What Stripe is asked to send."""

from django.core.management import call_command

from payments.webhook.event_types import LISTENED_FOR
from payments.webhook.routing import ACTED_ON


def test_stripe_is_asked_for_every_type_that_is_acted_on_and_for_no_other():
    assert set(LISTENED_FOR) == ACTED_ON


def test_the_command_prints_them_as_stripes_own_command_line_takes_them(capsys):
    call_command("webhook_event_types")
    assert capsys.readouterr().out == ",".join(LISTENED_FOR) + "\n"
