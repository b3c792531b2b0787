"""The contract of handlers, on which payments relies, tested against every handler.

A domain's tests inherit from HandlerContract and give it a `shop`, which offers an item of the domain and reads its state.
The shop's lines are passed to the handler as payments does, inside the test's transaction.
"""

import itertools
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Teacher
from accounts.tests.factories import UserFactory
from money import Money
from money.limits import limits_of
from notifications.models import Mail
from payments.contracts import CannotDeliver, CannotReceive, DomainHandler, Item, NotForSale, Quote, SoldOut
from payments.gifts.contracts import GiftWish, SoldGift
from payments.registry import handler_for

UNKNOWN_REFERENCES = ["", "x", "0", "-1", "999999999999", "9" * 64, "1.0", " 1", "１", "1\x00", "\ud800", "' OR 1=1"]


def later(**delta):
    return timezone.now() + timedelta(**delta)


class Shop:
    """The domain's part of the suite. One shop sells one item, with a number of `places`, to its `buyer`."""

    domain: str
    # The number of places; 1 if the item can be sold only once.
    places = 1
    # Whether people other than `buyer` may buy it.
    is_for_everyone = True

    def put_on_sale(self):
        """Offer a new item; returns its reference."""
        raise NotImplementedError

    def offer_again(self):
        """Do what is needed to sell it again after it was revoked; usually nothing."""

    def withdraw(self):
        """Take it off sale."""
        raise NotImplementedError

    def line(self, *, quantity=1, buyer=None):
        """A sold line of it."""
        raise NotImplementedError

    def held(self, line):
        """How many units the line holds now."""
        raise NotImplementedError

    def delivered(self, line):
        """How many units of the line are delivered now."""
        raise NotImplementedError

    def holders(self, line):
        """The ids of the people who can use what the line delivered. Only for what can be given."""
        raise NotImplementedError

    def gift(self, *, receiver=None, is_over=False):
        """A line of it as a paid gift, waiting or redeemed by `receiver`."""
        return self.as_gift(self.line(), receiver=receiver, is_over=is_over)

    def as_gift(self, line, *, receiver=None, is_over=False):
        """The same line as payments passes it once it was redeemed or is over."""
        given_at = line.gift.given_at if line.gift else timezone.now()
        gift = SoldGift(receiver_name="Ada", receiver_id=receiver and receiver.pk, given_at=given_at, is_over=is_over)
        return replace(line, gift=gift)


@pytest.mark.django_db
class HandlerContract:
    @pytest.fixture
    def shop(self):
        raise NotImplementedError

    @pytest.fixture
    def handler(self, shop):
        return handler_for(shop.domain)

    @pytest.fixture
    def bought(self, shop, handler):
        """A line that was reserved and delivered."""
        line = shop.line(quantity=shop.places)
        handler.reserve(line, later(minutes=30))
        handler.fulfil(line)
        return line

    def quote(self, shop, handler, *, buyer, quantity=1, reference=None):
        item = Item(domain=shop.domain, reference=reference or shop.reference, quantity=quantity)
        [answer] = handler.quote([item], buyer and buyer.pk)
        return answer

    # --- Itself -------------------------------------------------------------------------------------------------
    def test_it_is_registered_under_its_own_name(self, shop, handler):
        assert isinstance(handler, DomainHandler)
        assert handler.domain == shop.domain
        assert handler.label.strip()

    # --- Quotes -------------------------------------------------------------------------------------------------
    def test_a_quote_holds_what_payments_freezes(self, shop, handler):
        quote = self.quote(shop, handler, buyer=shop.buyer)
        assert isinstance(quote, Quote)
        assert 0 < len(quote.title) <= 200
        assert len(quote.description) <= 300
        assert quote.unit_prices
        for currency, price in quote.unit_prices.items():
            assert isinstance(price, Money)
            assert (price.currency, price.minor >= 0) == (currency, True)
        assert Teacher.objects.filter(pk=quote.teacher_id).exists()
        assert quote.url.startswith("/")
        assert isinstance(quote.quantity_limit, int)
        assert quote.quantity_limit >= 1
        assert json.loads(json.dumps(dict(quote.policy))) == dict(quote.policy)
        assert quote.commission_bps is None or 0 <= quote.commission_bps <= 10_000

    def test_a_guest_gets_a_price_or_a_reason(self, shop, handler):
        answer = self.quote(shop, handler, buyer=None)
        assert isinstance(answer, Quote | NotForSale)
        assert isinstance(answer, Quote) == shop.is_for_everyone

    @pytest.mark.parametrize("reference", UNKNOWN_REFERENCES)
    def test_an_unknown_reference_is_not_for_sale_and_does_not_affect_the_others(self, shop, handler, reference):
        items = [Item(domain=shop.domain, reference=each) for each in (reference, shop.reference, reference)]
        answers = handler.quote(items, shop.buyer.pk)
        assert [type(answer) for answer in answers] == [NotForSale, Quote, NotForSale]
        assert str(answers[0])

    @pytest.mark.parametrize("spelling", ["0{}", "00{}", "+{}", " {}", "{} ", "{}.0", "{}\n"])
    def test_a_reference_has_one_spelling(self, shop, handler, spelling):
        """With another, one item could be two lines of a cart."""
        answer = self.quote(shop, handler, buyer=shop.buyer, reference=spelling.format(shop.reference))
        assert isinstance(answer, NotForSale)

    def test_no_items_give_no_quotes(self, shop, handler):
        assert list(handler.quote([], shop.buyer.pk)) == []

    def test_many_items_cost_as_many_queries_as_one(self, shop, handler):
        items = [Item(domain=shop.domain, reference=shop.reference)]
        for _ in range(4):
            shop.put_on_sale()
            items.append(Item(domain=shop.domain, reference=shop.reference))
        with CaptureQueriesContext(connection) as one:
            handler.quote(items[:1], shop.buyer.pk)
        with CaptureQueriesContext(connection) as many:
            assert len(handler.quote(items, shop.buyer.pk)) == 5
        assert len(many) == len(one)

    def test_quoting_writes_nothing(self, shop, handler):
        with CaptureQueriesContext(connection) as queries:
            self.quote(shop, handler, buyer=shop.buyer)
        assert all(query["sql"].lstrip("( ").startswith("SELECT") for query in queries)

    def test_places_the_buyer_holds_are_free_to_them(self, shop, handler):
        line = shop.line(quantity=shop.places)
        handler.reserve(line, later(minutes=30))
        quote = self.quote(shop, handler, buyer=shop.buyer, quantity=shop.places)
        assert isinstance(quote, Quote), quote
        assert quote.quantity_limit >= shop.places

    def test_a_withdrawn_item_is_not_for_sale(self, shop, handler):
        shop.withdraw()
        assert isinstance(self.quote(shop, handler, buyer=shop.buyer), NotForSale)

    # --- Holds --------------------------------------------------------------------------------------------------
    def test_reserving_holds_and_delivers_nothing(self, shop, handler):
        line = shop.line(quantity=shop.places)
        assert handler.reserve(line, later(minutes=30)) is None
        assert (shop.held(line), shop.delivered(line)) == (shop.places, 0)

    def test_reserving_again_moves_the_end_of_the_hold(self, shop, handler):
        line, mails = shop.line(quantity=shop.places), Mail.objects.count()
        handler.reserve(line, later(minutes=30))
        handler.reserve(line, later(days=14))
        assert shop.held(line) == shop.places
        assert Mail.objects.count() == mails

    def test_a_second_order_for_the_last_places_is_sold_out(self, shop, handler):
        handler.reserve(shop.line(quantity=shop.places), later(minutes=30))
        with pytest.raises(SoldOut) as refusal:
            handler.reserve(shop.line(), later(minutes=30))
        assert str(refusal.value)

    def test_reserving_what_does_not_exist_is_sold_out(self, shop, handler):
        for reference in ("999999999999", "x"):
            with pytest.raises(SoldOut):
                handler.reserve(replace(shop.line(), reference=reference), later(minutes=30))

    def test_released_places_can_be_held_by_another_order(self, shop, handler):
        line = shop.line(quantity=shop.places)
        handler.reserve(line, later(minutes=30))
        for _ in range(2):
            assert handler.release(line) is None
        assert shop.held(line) == 0
        other = shop.line(quantity=shop.places)
        handler.reserve(other, later(minutes=30))
        assert shop.held(other) == shop.places

    def test_places_of_an_expired_hold_can_be_held_by_another_order(self, shop, handler):
        handler.reserve(shop.line(quantity=shop.places), later(minutes=-1))
        other = shop.line(quantity=shop.places)
        handler.reserve(other, later(minutes=30))
        assert shop.held(other) == shop.places

    def test_releasing_a_line_without_a_hold_is_harmless(self, shop, handler):
        handler.release(shop.line())
        handler.release(replace(shop.line(), reference="999999999999"))

    # --- Delivery -----------------------------------------------------------------------------------------------
    def test_a_paid_line_is_delivered_once(self, shop, handler, bought):
        mails = Mail.objects.count()
        assert Mail.objects.filter(user=shop.buyer).exists()
        assert handler.fulfil(bought) is None
        assert (shop.held(bought), shop.delivered(bought)) == (0, shop.places)
        assert Mail.objects.count() == mails

    def test_a_line_whose_hold_expired_is_delivered_while_the_places_are_free(self, shop, handler):
        line = shop.line(quantity=shop.places)
        handler.reserve(line, later(minutes=-1))
        handler.fulfil(line)
        assert shop.delivered(line) == shop.places

    def test_a_line_that_was_released_is_delivered_while_the_places_are_free(self, shop, handler):
        line = shop.line(quantity=shop.places)
        handler.reserve(line, later(minutes=30))
        handler.release(line)
        handler.fulfil(line)
        assert shop.delivered(line) == shop.places

    def test_a_line_whose_places_are_gone_cannot_be_delivered(self, shop, handler):
        late = shop.line()
        handler.reserve(late, later(minutes=-1))
        first = shop.line(quantity=shop.places)
        handler.reserve(first, later(minutes=30))
        handler.fulfil(first)
        with pytest.raises(CannotDeliver) as refusal:
            handler.fulfil(late)
        assert str(refusal.value)
        assert shop.delivered(late) == 0

    def test_an_item_that_no_longer_exists_cannot_be_delivered(self, shop, handler):
        with pytest.raises(CannotDeliver):
            handler.fulfil(replace(shop.line(), reference="999999999999"))

    def test_a_delivered_line_is_not_released(self, shop, handler, bought):
        handler.release(bought)
        assert shop.delivered(bought) == shop.places

    def test_only_the_buyer_can_open_the_delivery(self, shop, handler, bought):
        address = handler.delivery_url(bought)
        assert address.startswith("/")
        client = Client()
        client.force_login(shop.buyer)
        assert client.get(address, follow=True).status_code == 200
        stranger = Client()
        stranger.force_login(UserFactory())
        answer = stranger.get(address, follow=True)
        assert answer.status_code == 404 or bought.title not in answer.content.decode()

    def test_the_address_of_a_delivery_needs_no_query(self, handler, bought):
        with CaptureQueriesContext(connection) as queries:
            handler.delivery_url(bought)
        assert len(queries) == 0

    # --- Revoking -----------------------------------------------------------------------------------------------
    def test_a_delivered_line_is_revoked_once(self, shop, handler, bought):
        assert handler.revoke(bought, bought.quantity, "refunded") is None
        assert shop.delivered(bought) == 0
        mails = Mail.objects.count()
        handler.revoke(bought, bought.quantity, "refunded")
        assert Mail.objects.count() == mails

    def test_part_of_a_line_is_revoked_by_running_total(self, shop, handler, bought):
        for total in range(1, bought.quantity + 1):
            for _ in range(2):
                handler.revoke(bought, total, "refunded")
            assert shop.delivered(bought) == bought.quantity - total
        handler.revoke(bought, 1, "refunded")
        assert shop.delivered(bought) == 0

    def test_the_places_of_a_line_are_those_that_are_delivered(self, shop, handler):
        line = shop.line(quantity=shop.places)
        handler.reserve(line, later(minutes=30))
        assert list(handler.cancellation_terms(line).places) == []
        handler.fulfil(line)
        for revoked in range(line.quantity + 1):
            keys = [place.key for place in handler.cancellation_terms(line).places]
            assert len(set(keys)) == len(keys) == line.quantity - revoked
            if keys:
                handler.revoke(line, revoked + 1, "cancelled", [keys[0]])

    def test_the_named_place_is_revoked_and_the_others_stay(self, handler, bought):
        before = [place.key for place in handler.cancellation_terms(bought).places]
        for _ in range(2):
            handler.revoke(bought, 1, "cancelled", [before[0]])
            assert [place.key for place in handler.cancellation_terms(bought).places] == before[1:]

    def test_unknown_places_revoke_no_more_than_the_quantity(self, shop, handler, bought):
        handler.revoke(bought, 1, "cancelled", ["", "x", "\x00", "9" * 40])
        assert shop.delivered(bought) == bought.quantity - 1

    def test_a_revoked_line_is_not_delivered_again(self, shop, handler, bought):
        handler.revoke(bought, bought.quantity, "refunded")
        handler.fulfil(bought)
        assert shop.delivered(bought) == 0

    def test_a_late_delivery_does_not_restore_revoked_units(self, shop, handler, bought):
        handler.revoke(bought, 1, "refunded")
        handler.fulfil(bought)
        assert shop.delivered(bought) == bought.quantity - 1

    def test_a_revoked_item_can_be_bought_again(self, shop, handler, bought):
        handler.revoke(bought, bought.quantity, "refunded")
        shop.offer_again()
        again = shop.line(quantity=shop.places)
        handler.reserve(again, later(minutes=30))
        handler.fulfil(again)
        assert shop.delivered(again) == shop.places

    def test_revoking_a_line_that_was_never_delivered_is_harmless(self, shop, handler):
        line, mails = shop.line(), Mail.objects.count()
        handler.revoke(line, 1, "undeliverable")
        handler.revoke(replace(line, reference="999999999999"), 1, "undeliverable")
        assert Mail.objects.count() == mails

    # --- Money --------------------------------------------------------------------------------------------------
    @pytest.mark.parametrize("at", [timedelta(0), timedelta(days=3650), timedelta(days=-3650)])
    def test_the_refund_of_a_cancellation_is_between_nothing_and_all(self, handler, bought, at):
        offer = handler.refund_offer(bought, timezone.now() + at)
        assert isinstance(offer, Money)
        assert offer.currency == bought.amount.currency
        assert 0 <= offer.minor <= bought.amount.minor

    def test_cancelling_refunds_all_at_first_and_nothing_in_the_end(self, handler, bought):
        assert handler.refund_offer(bought, timezone.now()) == bought.amount
        assert handler.refund_offer(bought, later(days=3650)).minor == 0

    @pytest.mark.parametrize("amount", [Money(3333, "GBP"), Money(1, "GBP"), Money(5151, "JPY"), Money(12_350, "KWD")])
    def test_each_step_lasts_longer_and_gives_less_and_can_be_refunded(self, handler, bought, amount):
        steps = handler.cancellation_terms(replace(bought, amount=amount)).steps
        assert steps[0].amount == amount
        for earlier, later_one in itertools.pairwise(steps):
            assert later_one.amount < earlier.amount or amount.minor == 1
            assert later_one.until > earlier.until
        for step in steps:
            assert step.amount.minor % limits_of(amount.currency).step.minor == 0
            assert handler.refund_offer(replace(bought, amount=amount), step.until) == step.amount

    def test_what_can_be_cancelled_closes_when_its_refunds_have_ended(self, handler, bought):
        terms = handler.cancellation_terms(bought)
        assert terms.closes_at > timezone.now()
        assert terms.closes_at >= terms.steps[-1].until

    def test_an_odd_amount_loses_nothing(self, handler, bought):
        odd = replace(bought, amount=Money(3333, bought.amount.currency))
        assert handler.refund_offer(odd, timezone.now()) == odd.amount

    def test_the_teachers_share_can_be_withdrawn_from_a_certain_time(self, handler, bought):
        moment = handler.earned_at(bought)
        assert isinstance(moment, datetime)
        assert moment.tzinfo is not None
        assert moment >= timezone.now() - timedelta(days=1)

    def test_refund_and_share_of_a_deleted_item_are_still_known(self, shop, handler):
        gone = replace(shop.line(), reference="999999999999")
        assert handler.refund_offer(gone, timezone.now()) == gone.amount
        assert list(handler.cancellation_terms(gone).places) == []
        assert handler.earned_at(gone) is None
        assert handler.delivery_url(gone).startswith("/")

    # --- Gifts --------------------------------------------------------------------------------------------------
    @pytest.fixture
    def given(self, shop, handler):
        """A paid gift that waits to be redeemed."""
        if not handler.can_be_given:
            pytest.skip("It cannot be given.")
        line = shop.gift()
        handler.reserve(line, later(minutes=30))
        handler.keep_gift(line)
        return line

    def hand_over(self, shop, handler, given, receiver):
        line = shop.as_gift(given, receiver=receiver)
        handler.hand_over(line)
        return line

    def test_what_cannot_be_given_is_refused_at_every_step(self, shop, handler):
        if handler.can_be_given:
            return
        with pytest.raises(CannotDeliver):
            handler.keep_gift(shop.gift())
        with pytest.raises(CannotReceive):
            handler.hand_over(shop.gift(receiver=UserFactory()))

    def test_a_waiting_gift_is_no_ones_and_keeping_it_again_changes_nothing(self, shop, handler, given):
        mails = Mail.objects.count()
        assert handler.keep_gift(given) is None
        assert shop.holders(given) == []
        assert Mail.objects.count() == mails
        assert not Mail.objects.filter(user=shop.buyer).exists()

    def test_a_gift_that_was_released_is_kept_while_the_places_are_free(self, shop, handler, given):
        line = shop.gift()
        if shop.places > 1:
            handler.reserve(line, later(minutes=30))
        handler.release(line)
        handler.keep_gift(line)
        assert shop.holders(line) == []

    def test_a_gift_is_delivered_to_its_receiver_alone(self, shop, handler, given):
        receiver = UserFactory()
        line = self.hand_over(shop, handler, given, receiver)
        assert shop.holders(line) == [receiver.pk]
        assert Mail.objects.filter(user=receiver).exists()
        client, stranger = Client(), Client()
        client.force_login(receiver)
        stranger.force_login(shop.buyer)
        assert line.title in client.get(handler.delivery_url(line), follow=True).content.decode()
        answer = stranger.get(handler.delivery_url(line), follow=True)
        assert shop.buyer.pk not in shop.holders(line)
        assert answer.status_code in (200, 404)

    def test_the_giver_can_redeem_it_themself(self, shop, handler, given):
        line = self.hand_over(shop, handler, given, shop.buyer)
        assert shop.holders(line) == [shop.buyer.pk]

    def test_the_teacher_cannot_receive_their_own(self, shop, handler, given):
        teacher = Teacher.objects.get(pk=given.teacher_id)
        with pytest.raises(CannotReceive) as refusal:
            self.hand_over(shop, handler, given, teacher.user)
        assert str(refusal.value)
        assert shop.holders(given) == []

    def test_what_no_longer_exists_cannot_be_handed_over(self, shop, handler, given):
        with pytest.raises(CannotReceive):
            self.hand_over(shop, handler, replace(given, reference="999999999999"), UserFactory())
        with pytest.raises(CannotDeliver):
            handler.keep_gift(replace(given, reference="999999999999"))

    def test_a_waiting_gift_that_is_revoked_has_no_places_left(self, shop, handler, given):
        assert len(handler.cancellation_terms(given).places) == 1
        for _ in range(2):
            handler.revoke(shop.as_gift(given, is_over=True), 1, "cancelled")
        assert list(handler.cancellation_terms(shop.as_gift(given, is_over=True)).places) == []
        assert shop.holders(given) == []

    def test_a_redeemed_gift_is_revoked_from_its_receiver_once(self, shop, handler, given):
        receiver = UserFactory()
        line = self.hand_over(shop, handler, given, receiver)
        assert len(handler.cancellation_terms(line).places) == 1
        handler.revoke(line, 1, "refunded")
        assert shop.holders(line) == []
        mails = Mail.objects.count()
        handler.revoke(line, 1, "refunded")
        assert Mail.objects.count() == mails
        assert list(handler.cancellation_terms(line).places) == []

    def test_a_waiting_gift_is_cancelled_by_the_same_policy(self, handler, given):
        assert handler.refund_offer(given, timezone.now()) == given.amount
        assert handler.refund_offer(given, later(days=3650)).minor == 0

    def test_the_teachers_share_of_a_gift_can_be_withdrawn_from_a_certain_time(self, shop, handler, given):
        waiting = handler.earned_at(given)
        assert isinstance(waiting, datetime)
        assert handler.earned_at(self.hand_over(shop, handler, given, UserFactory())) == waiting

    def test_a_gift_has_a_quote_of_its_own(self, shop, handler):
        if not handler.can_be_given:
            return
        item = Item(domain=shop.domain, reference=shop.reference, gift=GiftWish(receiver="Ada"))
        [quote] = handler.quote([item], shop.buyer.pk)
        assert isinstance(quote, Quote)
