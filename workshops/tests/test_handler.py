"""Quotes, refunds, earnings and mails of the workshops' handler."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Teacher
from accounts.tests.factories import UserFactory
from money import Money
from notifications.models import Mail
from payments.contracts import Item, NotForSale, Quote
from payments.registry import handler_for
from workshops.handler import WorkshopHandler
from workshops.models import Registration
from workshops.participants import InvalidParticipants, fill_places, read_participants
from workshops.publishing import PricePlan, SessionPlan, withdraw_workshop
from workshops.tests.factories import in_half_an_hour, make_line, make_workshop

handler = WorkshopHandler()
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def item_for(workshop, **kwargs):
    return Item(domain="workshops", reference=str(workshop.pk), **kwargs)


def quote_one(workshop, *, buyer_id=None, **kwargs):
    return handler.quote([item_for(workshop, **kwargs)], buyer_id)[0]


def refused(workshop, **kwargs):
    answer = quote_one(workshop, **kwargs)
    assert isinstance(answer, NotForSale), answer
    return str(answer)


# --- Quotes --------------------------------------------------------------------------------------------------------
def test_the_domain_is_registered_with_payments():
    assert isinstance(handler_for("workshops"), WorkshopHandler)


@pytest.mark.django_db
def test_a_quote_states_title_time_place_and_price():
    with time_machine.travel(NOW, tick=False):
        session = SessionPlan(
            starts_at=datetime(2026, 12, 12, 10, tzinfo=UTC), ends_at=datetime(2026, 12, 12, 16, tzinfo=UTC)
        )
        prices = [PricePlan(amount=Money(8400, "JPY")), PricePlan(amount=Money(4500, "GBP"))]
        workshop = make_workshop(sessions=[session], prices=prices, title="Bread")
        quote = quote_one(workshop)
    assert quote.title == "Bread"
    assert quote.description == "Sat 12 Dec 2026, 10:00–16:00 GMT · Leeds"
    assert quote.unit_prices == {"GBP": Money(4500, "GBP"), "JPY": Money(8400, "JPY")}
    assert next(iter(quote.unit_prices)) == "GBP"
    assert quote.teacher_id == workshop.teacher_id
    assert quote.quantity_limit == 20
    assert quote.policy["full_until"] == "2026-12-05T10:00:00+00:00"


@pytest.mark.django_db
def test_the_description_counts_sessions_and_names_the_zone_online():
    with time_machine.travel(NOW, tick=False):
        days = [datetime(2026, 12, day, 17, tzinfo=UTC) for day in (1, 8, 15)]
        plans = [SessionPlan(starts_at=day, ends_at=day + timedelta(hours=2)) for day in days]
        workshop = make_workshop(sessions=plans, is_online=True, place="", time_zone="Europe/Paris")
        reader = UserFactory(time_zone="Europe/Paris")
        description = quote_one(workshop, buyer_id=reader.pk).description
    assert description == "3 sessions from Tue 1 Dec 2026, 18:00–20:00 CET · Online"


@pytest.mark.django_db
def test_the_early_bird_price_ends_at_its_own_time_in_each_currency():
    with time_machine.travel(NOW, tick=False) as clock:
        until = NOW + timedelta(days=3)
        workshop = make_workshop(
            prices=[
                PricePlan(amount=Money(4500, "GBP"), early_bird=Money(4000, "GBP"), early_bird_until=until),
                PricePlan(amount=Money(8400, "JPY"), early_bird=Money(7999, "JPY"), early_bird_until=until),
            ]
        )
        clock.move_to(until - timedelta(seconds=1))
        assert quote_one(workshop).unit_prices == {"GBP": Money(4000, "GBP"), "JPY": Money(7999, "JPY")}
        clock.move_to(until)
        assert quote_one(workshop).unit_prices == {"GBP": Money(4500, "GBP"), "JPY": Money(8400, "JPY")}


@pytest.mark.django_db
def test_a_currency_the_site_does_not_take_is_not_quoted(settings):
    workshop = make_workshop(prices=[PricePlan(amount=Money(4500, "GBP")), PricePlan(amount=Money(8400, "JPY"))])
    settings.CURRENCIES = ["GBP"]
    assert set(quote_one(workshop).unit_prices) == {"GBP"}


@pytest.mark.django_db
def test_registration_opens_and_closes():
    with time_machine.travel(NOW, tick=False) as clock:
        workshop = make_workshop(
            registration_opens_at=NOW + timedelta(days=1), registration_closes_at=NOW + timedelta(days=2)
        )
        assert "opens on Mon 2 Nov 2026, 12:00 GMT" in refused(workshop)
        clock.move_to(NOW + timedelta(days=1))
        assert isinstance(quote_one(workshop), Quote)
        clock.move_to(NOW + timedelta(days=2))
        assert "is closed" in refused(workshop)


@pytest.mark.django_db
def test_registration_closes_at_the_first_session_by_default_and_at_the_last_end_at_latest():
    with time_machine.travel(NOW, tick=False) as clock:
        starts = [NOW + timedelta(days=10), NOW + timedelta(days=20)]
        plans = [SessionPlan(starts_at=start, ends_at=start + timedelta(hours=1)) for start in starts]
        plain = make_workshop(sessions=plans)
        late = make_workshop(sessions=plans, registration_closes_at=NOW + timedelta(days=99))
        clock.move_to(starts[0])
        assert "is closed" in refused(plain)
        assert isinstance(quote_one(late), Quote)
        clock.move_to(starts[1] + timedelta(hours=1))
        assert "is closed" in refused(late)


@pytest.mark.django_db
def test_workshops_unpublished_or_of_unapproved_teachers_are_not_for_sale():
    assert "not offered" in refused(make_workshop(is_published=False))
    workshop = make_workshop()
    Teacher.objects.filter(pk=workshop.teacher_id).update(status=Teacher.Status.SUSPENDED)
    assert "not offered" in refused(workshop)
    withdrawn = make_workshop()
    withdraw_workshop(workshop=withdrawn)
    assert "not offered" in refused(withdrawn)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "reference", ["", "0", "-1", "abc", "1\x00", "9" * 40, "١٢", "1.0", "1 OR 1=1", "99999999999999999"]
)
def test_a_reference_to_no_workshop_is_not_for_sale(reference):
    answer = handler.quote([Item(domain="workshops", reference=reference)], None)[0]
    assert str(answer) == "There is no such workshop."


@pytest.mark.django_db
def test_the_quantity_is_limited_to_the_places_left():
    workshop = make_workshop(capacity=4)
    handler.reserve(make_line(workshop, quantity=3), in_half_an_hour())
    assert quote_one(workshop).quantity_limit == 1
    handler.reserve(make_line(workshop), in_half_an_hour())
    assert "is sold out" in refused(workshop)


@pytest.mark.django_db
def test_a_buyers_own_hold_does_not_make_the_workshop_sold_out_for_them():
    workshop = make_workshop(capacity=1)
    buyer = UserFactory()
    line = make_line(workshop, buyer=buyer)
    handler.reserve(line, in_half_an_hour())
    assert quote_one(workshop, buyer_id=buyer.pk).quantity_limit == 1
    assert "is sold out" in refused(workshop, buyer_id=UserFactory().pk)
    handler.fulfil(line)
    assert "is sold out" in refused(workshop, buyer_id=buyer.pk)


@pytest.mark.django_db
def test_one_bad_item_does_not_affect_the_others():
    good = make_workshop()
    answers = handler.quote([Item(domain="workshops", reference="0"), item_for(good)], None)
    assert [type(answer) for answer in answers] == [NotForSale, Quote]


@pytest.mark.django_db
def test_quotes_take_the_same_number_of_queries_for_one_ten_and_a_hundred():
    workshops = [make_workshop() for _ in range(10)]
    items = [item_for(workshops[number % 10]) for number in range(100)]
    buyer_id = UserFactory().pk
    costs = []
    for how_many in (1, 10, 100):
        with CaptureQueriesContext(connection) as queries:
            answers = handler.quote(items[:how_many], buyer_id)
        assert len(answers) == how_many
        costs.append(len(queries))
    assert costs == [5, 5, 5]


# --- Participants --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "details",
    [
        {"participants": "Ann"},
        {"participants": {"name": "Ann"}},
        {"participants": None},
        {"participants": ["Ann"]},
        {"participants": [None]},
        {"participants": [{"name": 1}]},
        {"participants": [{"name": "Ann", "age": 3}]},
        {"participants": [{"name": "x" * 151}]},
        {"participants": [{"name": "An\x00n"}]},
        {"participants": [{"name": "Ann\nBcc: everybody"}]},
        {"participants": [{"name": "Ann", "email": "nowhere"}]},
        {"participants": [{"name": "Ann", "email": f"{'x' * 255}@example.org"}]},
        {"participants": [{"name": "Ann"}] * 3},
        {"price": 1},
    ],
)
@pytest.mark.django_db
def test_malformed_participants_are_refused_with_a_message(details):
    assert refused(make_workshop(), quantity=2, details=details)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine may be slow
@given(
    st.dictionaries(
        st.sampled_from(["participants", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "email", "z"]), inner),
            max_leaves=6,
        ),
    )
)
def test_any_details_are_either_read_or_refused(details):
    try:
        read = read_participants(details, 2)
    except InvalidParticipants:
        return
    filled = fill_places(read, quantity=2, buyer_name="Bo", buyer_email="bo@example.org")
    assert len(filled) == 2
    assert all(participant.name for participant in filled)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ([], ["Bo", "Guest of Bo", "Guest of Bo"]),
        ([{"name": "Ann"}], ["Ann", "Bo", "Guest of Bo"]),
        ([{}, {"name": "Ann"}], ["Bo", "Ann", "Guest of Bo"]),
        ([{"name": "Me", "email": "BO@example.org"}], ["Me", "Guest of Bo", "Guest of Bo"]),
        ([{"email": "cy@example.org"}], ["cy", "Bo", "Guest of Bo"]),
    ],
)
def test_unnamed_places_are_for_the_buyer_and_their_guests(named, expected):
    read = read_participants({"participants": named}, 3)
    filled = fill_places(read, quantity=3, buyer_name="Bo", buyer_email="bo@example.org")
    assert [participant.name for participant in filled] == expected


# --- Refunds and earnings ------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before_start", "amount", "expected"),
    [
        (timedelta(days=7), Money(4501, "GBP"), 4501),
        (timedelta(days=7, seconds=-1), Money(4501, "GBP"), 2251),
        (timedelta(hours=48), Money(4501, "GBP"), 2251),
        (timedelta(hours=48, seconds=-1), Money(4501, "GBP"), 0),
        (-timedelta(days=1), Money(4501, "GBP"), 0),
        (timedelta(days=3), Money(8401, "JPY"), 4201),
        # Stripe charges and refunds KWD in hundredths only.
        (timedelta(days=3), Money(12_350, "KWD"), 6_180),
    ],
)
def test_the_refund_offer_is_full_then_half_then_zero(before_start, amount, expected):
    workshop = make_workshop()
    line = make_line(workshop, amount=amount)
    starts_at = workshop.sessions.get().starts_at
    assert handler.refund_offer(line, starts_at - before_start) == Money(expected, amount.currency)


@pytest.mark.django_db
def test_a_moved_workshop_is_fully_refundable_until_it_starts():
    workshop = make_workshop()
    line = make_line(workshop)
    session = workshop.sessions.get()
    session.starts_at += timedelta(hours=1)
    session.save()
    assert handler.refund_offer(line, session.starts_at - timedelta(minutes=1)) == line.amount
    assert handler.refund_offer(line, session.starts_at + timedelta(seconds=1)) == Money(0, "GBP")


@pytest.mark.django_db
def test_the_share_is_earned_three_days_after_the_last_session():
    starts = [timezone.now() + timedelta(days=10), timezone.now() + timedelta(days=20)]
    plans = [SessionPlan(starts_at=start, ends_at=start + timedelta(hours=1)) for start in starts]
    line = make_line(make_workshop(sessions=plans))
    assert handler.earned_at(line) == plans[1].ends_at + timedelta(hours=72)


# --- Mails ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_buyer_named_participants_and_teacher_get_one_mail_each():
    workshop = make_workshop()
    line = make_line(workshop, quantity=3, participants=[{"name": "Ann", "email": "ann@example.org"}, {"name": "Cy"}])
    handler.reserve(line, in_half_an_hour())
    assert not Mail.objects.exists()
    for _ in range(3):
        handler.fulfil(line)
    mails = {mail.template: mail for mail in Mail.objects.all()}
    assert Mail.objects.count() == 3
    buyer = mails["workshops/mail/registration_confirmed"]
    assert [person["name"] for person in buyer.context["participants"]][:2] == ["Ann", "Cy"]
    assert buyer.attachments[0]["text"].count("BEGIN:VEVENT") == 1
    ann = Registration.objects.get(participant_email="ann@example.org")
    assert mails["workshops/mail/ticket_issued"].to == "ann@example.org"
    assert mails["workshops/mail/ticket_issued"].context["code"] == ann.code
    assert mails["workshops/mail/registration_received"].to == workshop.teacher.user.email


@pytest.mark.django_db
def test_revoking_mails_named_participants_and_teacher_once():
    workshop = make_workshop()
    line = make_line(workshop, participants=[{"name": "Ann", "email": "ann@example.org"}])
    handler.fulfil(line)
    Mail.objects.all().delete()
    for _ in range(2):
        handler.revoke(line, line.quantity, "refund")
    assert sorted(Mail.objects.values_list("template", flat=True)) == [
        "workshops/mail/registration_revoked",
        "workshops/mail/ticket_revoked",
    ]


@pytest.mark.django_db
def test_the_teacher_gets_a_mail_for_each_revoked_place_of_a_line():
    line = make_line(make_workshop(), quantity=3)
    handler.fulfil(line)
    for quantity in (1, 1, 2):
        handler.revoke(line, quantity, "refund")
    assert Mail.objects.filter(template="workshops/mail/registration_revoked").count() == 2


@pytest.mark.django_db
def test_every_mail_renders():
    from django.template.loader import render_to_string

    from workshops.mails import queue_new_schedule_mails

    workshop = make_workshop(is_online=True, online_url="https://meet.example.org/1", title="Bread & <b>butter</b>")
    line = make_line(workshop, quantity=2, participants=[{"name": "Ann O'Neil", "email": "ann@example.org"}])
    handler.fulfil(line)
    queue_new_schedule_mails(workshop)
    handler.revoke(line, line.quantity, "refund")
    assert Mail.objects.values("template").distinct().count() == 6
    for mail in Mail.objects.all():
        context = mail.context | {"base_url": "https://lectern.example", "site_name": "Lectern"}
        subject = render_to_string(f"{mail.template}.subject.txt", context).strip()
        assert "\n" not in subject
        assert "Bread & <b>butter</b>" in subject
        assert "Bread & <b>butter</b>" in render_to_string(f"{mail.template}.txt", context)
        html = render_to_string(f"{mail.template}.html", context)
        assert "<b>butter" not in html
        assert "https://lectern.example/" in html
