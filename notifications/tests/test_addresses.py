"""Every form that takes an address takes each in one form, and none that cannot be mailed."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.test_canonical_addresses import ONE_ADDRESS, UNUSABLE
from notifications.models import Mail

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("written", ONE_ADDRESS)
def test_one_account_per_address_on_every_path(client, admin_client, written):
    user = UserFactory(email="ada@müller.de")
    form = {"full_name": "Ada", "email": written, "password1": PASSWORD}
    client.post(reverse("account_signup"), form)
    admin_client.post(reverse("admin:accounts_user_add"), {"email": written, "full_name": "Ada"})
    assert User.objects.exclude(is_superuser=True).get() == user
    client.post(reverse("account_reset_password"), {"email": written})
    assert Mail.objects.filter(template="account/email/password_reset", user=user).count() == 1
    client.post(reverse("account_login"), {"login": written, "password": PASSWORD})
    assert get_user(client) == user
    other = UserFactory()
    client.force_login(other)
    client.post(reverse("account_email"), {"email": written, "action_add": ""})
    assert not EmailAddress.objects.filter(user=other).exclude(email=other.email).exists()


@pytest.mark.parametrize("address", UNUSABLE)
def test_no_form_takes_what_cannot_be_mailed(client, admin_client, address):
    client.post(reverse("account_signup"), {"full_name": "Ada", "email": address, "password1": PASSWORD})
    admin_client.post(reverse("admin:accounts_user_add"), {"email": address, "full_name": "Ada"})
    assert not User.objects.exclude(is_superuser=True).exists()
    user = UserFactory()
    client.force_login(user)
    client.post(reverse("account_email"), {"email": address, "action_add": ""})
    assert EmailAddress.objects.filter(user=user).count() == 1
    with pytest.raises(ValidationError):
        User.objects.create_user(address)
    assert not Mail.objects.exists()
