"""A person is one customer at Stripe, however often and from wherever that is asked, and follows what the person changes."""

import threading
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import UserFactory
from jobs.retention import delete_expired
from jobs.runner import drain
from payments import customers
from payments.customers import CustomerErased, call_with_customer, customer_of, erase_customer
from payments.models import Customer
from payments.retention import RETENTION
from payments.stripe_api import NoSuchObject, StripeMisconfigured, StripeUnreachable
from payments.tests.races import at_once

pytestmark = pytest.mark.django_db


def at_stripe(sandbox):
    return sandbox.get("customers", limit=100)["data"]


def work():
    Customer.objects.update(run_after="2000-01-01T00:00Z")
    drain(Customer, seconds=20)


@pytest.fixture
def person():
    return UserFactory(email="ada@example.org", full_name="Ada Lovelace")


def test_a_customer_has_the_persons_name_and_address_and_is_created_once(stripe_sandbox, person):
    first = customer_of(person)
    assert customer_of(person).stripe_customer_id == first.stripe_customer_id
    [customer] = at_stripe(stripe_sandbox)
    assert customer["id"] == first.stripe_customer_id
    assert (customer["name"], customer["email"]) == ("Ada Lovelace", "ada@example.org")


@pytest.mark.django_db(transaction=True)
def test_twenty_callers_at_once_get_the_same_customer(stripe_sandbox, person):
    answers = at_once(*[lambda: customer_of(User.objects.get(pk=person.pk)).stripe_customer_id] * 20)
    # On a slow machine some wait longer than is allowed; what they did not hear stands.
    heard = {answer for answer in answers if not isinstance(answer, StripeUnreachable)}
    assert heard == {customer_of(person).stripe_customer_id}
    assert {customer["id"] for customer in at_stripe(stripe_sandbox)} == heard


def test_a_lost_answer_is_asked_for_again_and_makes_no_second_customer(stripe_sandbox, person):
    stripe_sandbox.fault("drop_reply", path="/v1/customers", count=3)
    with pytest.raises(StripeUnreachable):
        customer_of(person)
    User.objects.filter(pk=person.pk).update(full_name="Ada King")
    work()
    [customer] = at_stripe(stripe_sandbox)
    assert customer_of(person).stripe_customer_id == customer["id"]
    assert customer["name"] == "Ada King"


def test_after_stripe_has_forgotten_the_key_it_is_searched_for(stripe_sandbox, person):
    known = customer_of(person).stripe_customer_id
    Customer.objects.update(stripe_customer_id=None, asked_at=None, created_at=timezone.now() - timedelta(days=2))
    stripe_sandbox.switch("clock", advance=2 * 86400)
    assert customer_of(person).stripe_customer_id == known


def test_a_worker_creates_what_an_interrupted_caller_left(stripe_sandbox, person):
    customers._row_of(person)
    work()
    [customer] = at_stripe(stripe_sandbox)
    assert Customer.objects.get().stripe_customer_id == customer["id"]
    assert Customer.objects.get().state == "done"


def test_a_new_name_is_passed_on_whatever_changed_it(stripe_sandbox, person):
    customer_of(person)
    work()
    User.objects.filter(pk=person.pk).update(full_name="Ada King")
    assert Customer.objects.get().state == "waiting"
    work()
    assert at_stripe(stripe_sandbox)[0]["name"] == "Ada King"


def test_a_new_address_is_passed_on_once_it_is_confirmed(stripe_sandbox, person):
    customer_of(person)
    work()
    new = EmailAddress.objects.create(user=person, email="king@example.org", verified=False)
    assert Customer.objects.get().state == "done"
    new.verified = True
    new.save()
    new.set_as_primary()
    work()
    assert at_stripe(stripe_sandbox)[0]["email"] == "king@example.org"


def test_a_change_while_a_worker_passes_on_another_is_not_lost(stripe_sandbox, person, monkeypatch):
    customer_of(person)
    pass_on = customers.gateway.update_customer

    def change_meanwhile(customer_id, **sent):
        pass_on(customer_id, **sent)
        if sent["name"] == "Second":
            User.objects.filter(pk=person.pk).update(full_name="Third")

    monkeypatch.setattr(customers.gateway, "update_customer", change_meanwhile)
    User.objects.filter(pk=person.pk).update(full_name="Second")
    work()
    work()
    assert at_stripe(stripe_sandbox)[0]["name"] == "Third"


def test_a_customer_deleted_at_stripe_is_replaced_by_one_other(stripe_sandbox, person):
    gone = customer_of(person).stripe_customer_id
    stripe_sandbox.http.delete(f"{stripe_sandbox.url}/v1/customers/{gone}")
    seen = []

    def look(customer_id):
        seen.append(customer_id)
        return customers.gateway.update_customer(customer_id, email="ada@example.org", name="Ada")

    call_with_customer(person, look)
    assert seen == [gone, customer_of(person).stripe_customer_id]
    assert gone != customer_of(person).stripe_customer_id
    assert len(at_stripe(stripe_sandbox)) == 1


def test_something_else_that_is_missing_does_not_replace_the_customer(stripe_sandbox, person):
    known = customer_of(person).stripe_customer_id
    with pytest.raises(NoSuchObject):
        call_with_customer(person, lambda _: customers.gateway.retrieve_session("cs_test_none"))
    assert customer_of(person).stripe_customer_id == known


def test_a_key_of_another_account_forgets_no_customer(stripe_sandbox, other_platform, use_key_of, person):
    known = customer_of(person).stripe_customer_id
    use_key_of(other_platform)
    with pytest.raises(StripeMisconfigured):
        call_with_customer(person, lambda one: customers.gateway.update_customer(one, email="a@example.org", name=""))
    assert Customer.objects.get().stripe_customer_id == known


def test_erasing_deletes_the_customer_at_stripe_and_in_time_here(stripe_sandbox, person, settings):
    customer_of(person)
    erase_customer(person)
    erase_customer(person)
    work()
    assert at_stripe(stripe_sandbox) == []
    with pytest.raises(CustomerErased):
        customer_of(person)
    work()
    [kept] = [each for each in RETENTION if each.name == "payments.erased_customers"]
    assert delete_expired(kept) == 0
    Customer.objects.update(erase_requested_at=timezone.now() - settings.FINISHED_SYNCS_KEPT - timedelta(days=1))
    assert delete_expired(kept) == 1


@pytest.mark.django_db(transaction=True)
def test_erasing_while_the_customer_is_created_leaves_none(stripe_sandbox, person, monkeypatch):
    create = customers.gateway.create_customer
    created, erased = threading.Event(), threading.Event()

    def create_slowly(**sent):
        answer = create(**sent)
        created.set()
        erased.wait(10)
        return answer

    monkeypatch.setattr(customers.gateway, "create_customer", create_slowly)

    def erase():
        created.wait(10)
        erase_customer(person)
        erased.set()

    at_once(lambda: customer_of(User.objects.get(pk=person.pk)), erase)
    work()
    assert at_stripe(stripe_sandbox) == []
