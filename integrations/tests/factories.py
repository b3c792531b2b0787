"""Tokens for tests."""

from datetime import timedelta

from django.test import Client

from integrations.scopes import Scope
from integrations.tokens import create_token


def token_and_secret(user, *scopes, name="Website", lifetime=timedelta(days=30)):
    return create_token(user=user, name=name, scopes=scopes or list(Scope), lifetime=lifetime)


def token_of(user, *scopes, **options):
    return token_and_secret(user, *scopes, **options)[0]


def program_of(user, *scopes, **options):
    """A client that signs in with a token, without cookies and without a CSRF token."""
    _, secret = token_and_secret(user, *scopes, **options)
    return Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {secret}"})
