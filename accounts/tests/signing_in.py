"""Sign in as a person does, through the site's own pages, so that allauth's records are what they would be."""

import time

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.urls import reverse

from accounts.tests.factories import PASSWORD

# RFC 6238's example secret, in base 32.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def sign_in(client, user, *, password=PASSWORD, **extra):
    return client.post(reverse("account_login"), {"login": user.email, "password": password}, **extra)


def set_up_authenticator_app(user):
    TOTP.activate(user, SECRET)


def code_now(secret=SECRET):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def sign_in_with_code(client, user):
    sign_in(client, user)
    return client.post(reverse("mfa_authenticate"), {"code": code_now()})
