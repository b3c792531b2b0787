"""Gifts: bought by one, redeemed by another."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import UserFactory
from integrations.tests.factories import program_of
from money import Money
from notifications.delivery import render
from notifications.models import Mail
from payments.cancellations.lines import CannotCancel, can_cancel, cancel_for_student, offer_cancellation
from payments.cart import add_to_cart, restore_cart
from payments.contracts import Item, NotForSale
from payments.gifts.codes import code_of, find_gift, fold
from payments.gifts.erasing import forget_gifts_of
from payments.gifts.managing import GiftRefused, mail_due_gifts, renew_code, send_gift_again, void_code
from payments.gifts.redeeming import CannotRedeem, GiftUnknown, redeem_gift
from payments.gifts.wishes import read_wish
from payments.models import Cart, Gift, OrderLine, Refund
from payments.orders import cancel_order
from payments.pricing import price_cart
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.drawn_text import text_of_pdf
from payments.tests.factories import (
    client_of,
    evidence_for,
    open_order,
    refund_object,
    refunded,
    sample_offer,
    staff_in,
)
from payments.tests.gift_factories import cart_with_gift, code, gift_of, open_gift, paid_gift, wish_for
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_api_purchases import LINES, is_as_documented, kind_of, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]


@pytest.fixture
def ada():
    return UserFactory(full_name="Ada Lovelace")


def page_of(client, address, **query):
    return " ".join(client.get(address, query).content.decode().split())


def refund_in_full(gift):
    refund = refunded(gift.line.order.payments.get())
    record_refund(read_refund(refund_object(refund)))


# --- The cart


def test_a_gift_and_ones_own_are_separate_lines_and_the_same_gift_is_one():
    reference = sample_offer(Money(2500, "GBP"))
    cart = cart_with_gift(reference)
    buyer = cart.user_id
    for item in (
        Item(domain="sample", reference=reference),
        Item(domain="sample", reference=reference, gift=wish_for(message="Hello")),
        Item(domain="sample", reference=reference, gift=wish_for("Alan Turing", email="")),
    ):
        add_to_cart(item, buyer_id=buyer, cart=None, currency="GBP")
    assert sorted((line.gift.get("receiver", ""), line.gift.get("message", "")) for line in cart.lines.all()) == [
        ("", ""),
        ("Ada Lovelace", "Hello"),
        ("Alan Turing", ""),
    ]
    assert price_cart(cart).total == Money(7500, "GBP")


def test_a_gift_is_one_unit_of_what_can_be_given(monkeypatch):
    reference = sample_offer()
    gift = Item(domain="sample", reference=reference, gift=wish_for(), quantity=2)
    with pytest.raises(NotForSale, match="one person"):
        add_to_cart(gift, buyer_id=UserFactory().pk, cart=None, currency="GBP")
    cart = cart_with_gift(reference)
    cart.lines.update(quantity=2)
    assert price_cart(cart).lines[0].problem == "Only one can be bought."
    monkeypatch.setattr(SAMPLE, "can_be_given", False, raising=False)
    assert price_cart(cart).lines[0].problem == "This cannot be given as a gift."


def test_changing_what_a_gift_says_changes_what_the_buyer_agrees_to():
    cart = cart_with_gift()
    before = price_cart(cart).digest
    add_to_cart(
        Item(domain="sample", reference=cart.lines.get().reference, gift=wish_for(message="Hi")),
        buyer_id=cart.user_id, cart=None, currency="GBP",
    )  # fmt: skip
    assert price_cart(cart).digest != before


def test_a_gift_in_an_order_that_was_not_paid_returns_to_the_cart_as_a_gift():
    payment = open_gift(wish=wish_for(message="Hello", send_on=timezone.localdate() + timedelta(days=9)))
    before = Cart.objects.get().lines.get().gift
    cancel_order(order_id=payment.order_id, reason="x", payment_status=payment.Status.EXPIRED)
    Cart.objects.get().lines.all().delete()
    assert restore_cart(payment.order) == 0
    assert Cart.objects.get().lines.get().gift == before
    assert not Gift.objects.get().is_waiting


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"receiver": ""}, "receiver"),
        ({"receiver": "See www.example.com"}, "receiver"),
        ({"email": "nobody"}, "email"),
        ({"message": "a\u202eb"}, "message"),
        ({"message": "x" * 501}, "message"),
        ({"send_on": timezone.localdate() - timedelta(days=1)}, "send_on"),
        ({"send_on": timezone.localdate() + timedelta(days=400)}, "send_on"),
        ({"email": "", "send_on": timezone.localdate() + timedelta(days=1)}, "email"),
    ],
)
def test_what_a_buyer_says_is_checked_on_the_page_and_by_the_api(fields, problem):
    reference = sample_offer()
    said = {"receiver": "Ada", "email": "ada@example.org", "message": "", **fields}
    body = {name: str(value) if value else "" for name, value in said.items()}
    page = client_of(UserFactory()).post(reverse("payments:gift_give", args=["sample", reference]), body)
    assert page.status_code == 422
    sent = {**body, "send_on": body.get("send_on") or None}
    answer = send(program_of(UserFactory()), LINES, {"domain": "sample", "reference": reference, "gift": sent})
    assert answer.status_code == 400
    assert problem in str(answer.json())


def test_a_message_becomes_one_line_and_an_address_canonical():
    wish = read_wish(receiver=" Ada ", email="ADA@Example.org", message="Happy\nbirthday")
    assert (wish.receiver, wish.email, wish.message) == ("Ada", "ada@example.org", "Happy birthday")


# --- Buying


def test_a_paid_gift_is_delivered_to_no_one_and_has_a_code_that_is_not_stored():
    gift = paid_gift()
    assert gift.line.state == OrderLine.State.FULFILLED
    assert SAMPLE.calls["keep_gift", gift.line.reference] == 1
    assert SAMPLE.calls["fulfil", gift.line.reference] == 0
    typed = code(gift)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", typed)
    for spelling in (typed, typed.lower(), typed.replace("-", " "), typed.replace("0", "o").replace("1", "l")):
        assert find_gift(spelling) == gift
    stored = [*Gift.objects.values_list(), *Mail.objects.values_list("context", "attachments")]
    assert fold(typed) not in str(stored).replace("-", "")


def test_a_late_repeat_of_the_payment_changes_nothing():
    payment = open_gift()
    settle_payment(evidence_for(payment))
    before, mails = code(gift_of(payment)), Mail.objects.count()
    settle_payment(evidence_for(payment))
    assert (code(gift_of(payment)), Mail.objects.count()) == (before, mails)


def test_the_receivers_mail_quotes_names_only_and_its_code_is_in_nothing_that_is_stored():
    gift = paid_gift(wish=wish_for(message="Call this number"))
    mail = Mail.objects.get(template="payments/mail/gift_received")
    assert (mail.to, mail.user) == ("ada@example.org", None)
    shown, sent = render(mail), render(mail, with_hidden=True)
    assert code(gift) in sent.text
    assert code(gift) in sent.html
    assert code(gift) not in shown.text + shown.html
    for text in (sent.subject, sent.text, sent.html):
        assert "Call this number" not in text
    assert "Grace Hopper" in sent.subject
    bought = render(Mail.objects.get(template="payments/mail/payment_confirmed"))
    assert "Your gift" in bought.text


def test_a_gift_without_an_address_is_mailed_to_no_one():
    paid_gift(wish=wish_for(email=""))
    assert not Mail.objects.filter(template="payments/mail/gift_received").exists()


def test_a_gift_is_mailed_on_its_day_once():
    gift = paid_gift(wish=wish_for(send_on=timezone.localdate() + timedelta(days=3)))
    assert mail_due_gifts() == 0
    Gift.objects.update(send_on=timezone.localdate())
    assert [mail_due_gifts(), mail_due_gifts()] == [1, 0]
    gift.refresh_from_db()
    assert gift.mailed_at
    assert Mail.objects.filter(template="payments/mail/gift_received").count() == 1


def test_what_was_cancelled_or_withdrawn_is_not_mailed():
    for end in (void_of, refund_in_full):
        end(paid_gift(wish=wish_for(send_on=timezone.localdate() + timedelta(days=3))))
    Gift.objects.update(send_on=timezone.localdate())
    assert mail_due_gifts() == 0


def void_of(gift):
    return void_code(gift_id=gift.pk)


def test_an_undeliverable_gift_is_refunded_and_has_no_code():
    payment = open_gift()
    SAMPLE.undeliverable.add(payment.order.lines.get().reference)
    settle_payment(evidence_for(payment))
    gift = gift_of(payment)
    assert (gift.line.state, gift.code_digest) == (OrderLine.State.UNDELIVERABLE, None)
    assert Refund.objects.count() == 1


def test_a_free_gift_works_alike(ada):
    gift = paid_gift(price=Money(0, "GBP"))
    assert redeem_gift(text=code(gift), user=ada).receiver == ada


# --- Redeeming


def test_another_person_redeems_it_once(ada):
    gift = paid_gift()
    typed = code(gift)
    for _ in range(2):
        assert redeem_gift(text=typed, user=ada).receiver == ada
    assert SAMPLE.holders == {gift.line_id: ada.pk}
    assert SAMPLE.calls["hand_over", gift.line.reference] == 1
    with pytest.raises(CannotRedeem, match="redeemed already"):
        redeem_gift(text=typed, user=UserFactory())
    gift.refresh_from_db()
    assert gift.receiver_email == ""
    assert Mail.objects.filter(template="payments/mail/gift_redeemed", user=gift.line.order.user).count() == 1


def test_a_refused_receiver_leaves_the_gift_as_it_was(ada):
    gift = paid_gift()
    SAMPLE.refuses_receiver = "You already have this."
    with pytest.raises(CannotRedeem, match="You already have this"):
        redeem_gift(text=code(gift), user=ada)
    SAMPLE.refuses_receiver = ""
    assert redeem_gift(text=code(gift), user=UserFactory()).redeemed_at


def test_unknown_codes_and_unpaid_gifts_cannot_be_redeemed(ada):
    open_gift()
    for text in ("", "x", "0" * 16, "U" * 16, "\x00" * 16, "é" * 16, "9" * 5000):
        with pytest.raises(GiftUnknown):
            redeem_gift(text=text, user=ada)


def test_the_page_shows_what_it_is_and_from_whom_and_signs_the_receiver_in(ada):
    gift = paid_gift(wish=wish_for(message="<b>For you</b>"))
    address = reverse("payments:gift_redeem")
    page = page_of(Client(), address, token=code(gift))
    for text in (gift.line.title, "Grace Hopper", "&lt;b&gt;For you&lt;/b&gt;", "Create an account"):
        assert text in page
    client = client_of(ada)
    assert ada.email in page_of(client, address, token=code(gift).lower())
    response = client.post(address, {"token": code(gift)}, follow=True)
    assert "is yours" in response.content.decode()
    assert "You have redeemed this gift" in page_of(client, address, token=code(gift))
    assert "redeemed already" in page_of(client_of(UserFactory()), address, token=code(gift))
    assert Client().get(address).status_code == 200


def test_guesses_are_limited_on_the_page_and_in_the_api_together(settings, ada):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"gift_code_of_account": "3/h/user"}
    gift = paid_gift()
    client, address = client_of(ada), reverse("payments:gift_redeem")
    assert [client.get(address, {"token": "x"}).status_code for _ in range(2)] == [404, 404]
    program = program_of(ada)
    assert kind_of(send(program, "/api/v1/gifts/redeem", {"code": "x"})) == (422, "gift-refused")
    assert send(program, "/api/v1/gifts/redeem", {"code": code(gift)}).status_code == 429
    assert client.post(address, {"token": code(gift)}).status_code == 429
    assert gift.redeemed_at is None


def test_only_the_giver_sees_the_gift_and_its_code(ada):
    gift = paid_gift()
    giver = client_of(gift.line.order.user)
    address = gift.get_absolute_url()
    assert code(gift) in page_of(giver, address)
    text = text_of_pdf(giver.get(f"{address}gift.pdf").content)
    for words in ("Ada Lovelace", "Grace Hopper", gift.line.title, code(gift)):
        assert words in text
    order = page_of(giver, gift.line.order.get_absolute_url())
    assert address in order
    assert "Not redeemed yet" in order
    redeem_gift(text=code(gift), user=ada)
    for client in (client_of(ada), client_of(staff_in("support"))):
        assert client.get(address).status_code == 404
        assert client.get(f"{address}gift.pdf").status_code == 404
    page = page_of(giver, address)
    assert "Redeemed" in page
    assert ada.email not in page
    assert code(gift) not in page
    assert "Redeemed" in page_of(giver, gift.line.order.get_absolute_url())


def test_an_unpaid_gift_has_no_page():
    gift = gift_of(open_gift())
    assert client_of(gift.line.order.user).get(gift.get_absolute_url()).status_code == 404


# --- Cancelling and refunds


def test_the_giver_cancels_until_it_is_redeemed(ada):
    gift = paid_gift()
    line = gift.line
    offer = offer_cancellation(line=line, keys=["1"], at=timezone.now())
    cancel_for_student(line_id=line.pk, keys=["1"], digest=offer.digest)
    with pytest.raises(CannotRedeem, match="cancelled"):
        redeem_gift(text=code(gift), user=ada)
    other = paid_gift()
    redeem_gift(text=code(other), user=ada)
    line = OrderLine.objects.get(pk=other.line_id)
    assert not can_cancel(line)
    with pytest.raises(CannotCancel, match="redeemed"):
        cancel_for_student(line_id=line.pk, keys=["1"], digest="")


def test_a_refund_by_staff_revokes_it_from_the_receiver(ada):
    gift = paid_gift()
    redeem_gift(text=code(gift), user=ada)
    refund_in_full(gift)
    assert SAMPLE.holders == {}
    gift = Gift.objects.get()
    assert (gift.state, gift.receiver) == ("Cancelled", ada)
    with pytest.raises(CannotRedeem, match="cancelled"):
        redeem_gift(text=code(gift), user=ada)


def test_a_gift_whose_refund_is_on_its_way_cannot_be_redeemed(ada):
    gift = paid_gift()
    refunded(gift.line.order.payments.get())
    with pytest.raises(CannotRedeem, match="in question"):
        redeem_gift(text=code(gift), user=ada)


# --- Staff


def test_a_withdrawn_code_is_of_no_use_until_there_is_a_new_one(ada):
    gift = paid_gift()
    old = code(gift)
    void_of(gift)
    with pytest.raises(CannotRedeem, match="no longer valid"):
        redeem_gift(text=old, user=ada)
    with pytest.raises(GiftRefused, match="withdrawn"):
        send_gift_again(gift_id=gift.pk)
    giver = client_of(gift.line.order.user)
    assert old not in page_of(giver, gift.get_absolute_url())
    renew_code(gift_id=gift.pk)
    assert code(gift) != old
    with pytest.raises(GiftUnknown):
        redeem_gift(text=old, user=ada)
    assert redeem_gift(text=code(gift), user=ada).receiver == ada
    for act in (void_code, renew_code, send_gift_again):
        with pytest.raises(GiftRefused):
            act(gift_id=gift.pk)


def test_staff_see_gifts_without_codes_and_act_on_them():
    gift = paid_gift()
    support = client_of(staff_in("support"))
    address = reverse("admin:payments_gift_changelist")
    assert "Ada Lovelace" in page_of(support, address, state="waiting")
    assert "Ada Lovelace" not in page_of(support, address, state="redeemed")
    assert code(gift) not in page_of(support, reverse("admin:payments_gift_change", args=[gift.pk]))
    for action in ("send_again", "void", "renew"):
        assert support.post(address, {"action": action, "_selected_action": gift.pk}).status_code == 302
    gift.refresh_from_db()
    assert (gift.code_number, gift.voided_at) == (2, None)
    assert Mail.objects.filter(template="payments/mail/gift_received").count() == 2


def test_a_code_survives_a_new_key_on_paper_and_is_shown_with_the_old_key(settings, ada):
    gift = paid_gift()
    old_key, typed = settings.SECRET_KEY, code(gift)
    settings.SECRET_KEY = "another" * 10
    assert code_of(gift) == ""
    assert "cannot be shown again" in page_of(client_of(gift.line.order.user), gift.get_absolute_url())
    assert find_gift(typed) == gift
    settings.SECRET_KEY_FALLBACKS = [old_key]
    assert code_of(gift) == typed


def test_the_database_refuses_impossible_gifts(ada):
    gift = paid_gift()
    for fields in ({"receiver": ada}, {"redeemed_at": timezone.now()}, {"code_digest": None}, {"given_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Gift.objects.filter(pk=gift.pk).update(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderLine.objects.filter(pk=gift.line_id).update(quantity=2)


# --- API


def test_a_program_gives_and_redeems(ada):
    giver = program_of(UserFactory(full_name="Grace Hopper"))
    reference = sample_offer(Money(2500, "GBP"))
    wish = {"receiver": "Ada Lovelace", "email": "ada@example.org", "message": "Hi", "send_on": None}
    answer = send(giver, LINES, {"domain": "sample", "reference": reference, "gift": wish})
    assert is_as_documented(answer, "/api/v1/cart/lines", "post")
    assert answer.json()["lines"][0]["gift"] == wish
    payment = open_order(cart=Cart.objects.get())
    settle_payment(evidence_for(payment))
    order = giver.get(f"/api/v1/orders/{payment.order.number}")
    assert is_as_documented(order, "/api/v1/orders/{number}")
    gift = order.json()["lines"][0]["gift"]
    assert (gift["receiver"], gift["state"], gift["redeemed_at"]) == ("Ada Lovelace", "Not redeemed yet", None)
    redeemed = send(program_of(ada), "/api/v1/gifts/redeem", {"code": code(gift_of(payment))})
    assert is_as_documented(redeemed, "/api/v1/gifts/redeem", "post")
    assert (redeemed.json()["giver"], redeemed.json()["message"]) == ("Grace Hopper", "Hi")
    order = giver.get(f"/api/v1/orders/{payment.order.number}").json()
    assert order["lines"][0]["gift"]["redeemed_at"]


def test_the_page_adds_and_changes_a_gift_in_the_cart():
    reference, person = sample_offer(), UserFactory()
    client, address = client_of(person), None
    address = reverse("payments:gift_give", args=["sample", reference])
    assert client.get(address).status_code == 200
    body = {"receiver": "Ada", "email": "", "message": "Hi", "send_on": ""}
    assert client.post(address, body).url == "/cart/"
    line = Cart.objects.get().lines.get()
    assert "Gift</span> for <bdi>Ada</bdi>" in page_of(client, "/cart/")
    assert 'value="Ada"' in page_of(client, address, line=line.pk)
    client.post(f"{address}?line={line.pk}", {**body, "receiver": "Alan"})
    assert [each.gift["receiver"] for each in Cart.objects.get().lines.all()] == ["Alan"]
    assert client.get(reverse("payments:gift_give", args=["private_teaching", "1"])).status_code == 404
    assert client.get(reverse("payments:gift_give", args=["nothing", "1"])).status_code == 404
    assert "withdrawn" in page_of(client, reverse("payments:gift_give", args=["sample", "999"]))


def test_erasing_the_giver_forgets_names_and_messages_and_the_code_still_works(ada):
    gift = paid_gift(wish=wish_for(message="Hello"))
    giver = gift.line.order.user
    cart_with_gift(giver=giver)
    forget_gifts_of(giver)
    gift.refresh_from_db()
    assert (gift.receiver_name, gift.receiver_email, gift.message) == ("–", "", "")
    assert not Cart.objects.get(user=giver).lines.exists()
    assert redeem_gift(text=code(gift), user=ada).receiver == ada
