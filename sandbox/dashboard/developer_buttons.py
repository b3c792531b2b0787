"""Buttons for events and webhook endpoints."""

from django.http import QueryDict

from sandbox.dashboard.buttons import button
from sandbox.dashboard.calls import call
from sandbox.resources.webhook_endpoints import rotate_secret
from sandbox.store import Body
from sandbox.webhooks.queue import resend


@button("event", "resend", "Send again", about="To every endpoint that listens to its type now.")
def resend_event(event: Body, _form: QueryDict) -> None:
    if resend(event) == 0:
        raise ValueError("No endpoint listens to events of this type.")


@button("webhook_endpoint", "rotate", "Rotate the secret", about="The old secret also signs for 24 hours.")
def rotate(endpoint: Body, _form: QueryDict) -> None:
    rotate_secret(endpoint)


def _switch(endpoint: Body, *, is_disabled: bool) -> None:
    call("POST", f"/v1/webhook_endpoints/{endpoint['id']}", disabled="true" if is_disabled else "false")


@button(
    "webhook_endpoint", "disable", "Disable", when=lambda body: bool(body["status"] == "enabled"), is_destructive=True
)
def disable(endpoint: Body, _form: QueryDict) -> None:
    _switch(endpoint, is_disabled=True)


@button("webhook_endpoint", "enable", "Enable", when=lambda body: bool(body["status"] != "enabled"))
def enable(endpoint: Body, _form: QueryDict) -> None:
    _switch(endpoint, is_disabled=False)
