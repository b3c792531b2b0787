"""Nothing that must not be in a log is in any line, whoever wrote it."""

import io
import json
import logging
import uuid

import pytest
import structlog
from django.conf import settings
from django.http import HttpResponse
from hypothesis import example, given, strategies

from config.logging import apply, logging_settings, redact_text
from config.request_id import RequestIdMiddleware

CANARIES = [
    "4242424242424242",
    "4000 0566 5566 5556",
    "3782-822463-10005",
    "sk_live_51Canary0000000000",
    "rk_test_Canary000000000000",
    "whsec_Canary00000000000000",
    "pi_3Canary_secret_Canary00",
    "canary.student+lessons@mail.example.org",
]
NAMED = [
    "password=Canary-hunter2",
    "'password': 'Canary hunter2'",
    '"new_password1": "Canary \\" hunter2"',
    '{\\"password\\": \\"Canary hunter2\\"}',
    "token=Canary0hunter2&next=/",
    "Authorization: Bearer Canary.hunter2.x",
    "postgres://lectern:Canary-hunter2@db.example/lectern",
    "/accounts/password/reset/key/1-Canary-hunter2/",
]


@pytest.fixture
def lines():
    """What production would write, as one string."""
    production = logging_settings(as_json=True, level="INFO")
    apply(production)
    written = io.StringIO()
    (handler,) = (one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler)
    handler.setStream(written)
    yield written.getvalue
    apply(settings.LOGGING)


def raise_with(text):
    raise ValueError(text)


WAYS = {
    "message": lambda text: logging.getLogger("library").warning("said %s", text),
    "dict argument": lambda text: logging.getLogger("library").warning("got %s", {"body": text}),
    "structured": lambda text: structlog.get_logger().warning("said", detail=text),
    "nested": lambda text: structlog.get_logger().warning("said", detail={"list": [{"deep": text}]}),
    "key": lambda text: structlog.get_logger().warning("said", detail={text: 1}),
    "event": lambda text: structlog.get_logger().warning(text),
    "context": lambda text: structlog.get_logger().bind(customer=text).warning("said"),
    "object": lambda text: structlog.get_logger().warning("said", error=ValueError(text)),
}


def log_exception(text):
    try:
        raise_with(text)
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed")


@pytest.mark.parametrize("way", [*WAYS.values(), log_exception], ids=[*WAYS, "exception"])
@pytest.mark.parametrize("canary", CANARIES + NAMED)
def test_no_secret_and_no_personal_data_reaches_a_line(lines, way, canary):
    way(canary)
    assert lines()
    assert canary not in lines()
    assert "hunter2" not in lines()
    assert "Canary" not in lines()


@pytest.mark.parametrize("name", ["password", "csrf_token", "stripe_secret", "Authorization", "card_number", "cookies"])
def test_values_with_telling_names_are_left_out_whatever_they_hold(lines, name):
    structlog.get_logger().warning("said", **{name: "anything"}, inner={name: ["anything"]})
    assert "anything" not in lines()


def test_numbers_that_are_cards_are_left_out_even_as_integers(lines):
    structlog.get_logger().warning("said", number=4242424242424242)
    assert "4242" not in lines()


def test_what_helps_to_find_a_mistake_stays(lines):
    structlog.get_logger("payments").warning("order_settled", order="L-20260412-0815", amount_minor=125000)
    (line,) = map(json.loads, lines().splitlines())
    assert line["order"] == "L-20260412-0815"
    assert line["amount_minor"] == 125000
    assert (line["level"], line["logger"]) == ("warning", "payments")


@pytest.mark.parametrize("text", ["1790000000000", "2026-11-20 23:51:26", "0.4242424242424242", "evt_1AbC", "4242"])
def test_numbers_that_are_no_cards_stay(text):
    assert redact_text(text) == text


UUIDS = strategies.uuids(version=4)


@strategies.composite
def cards(draw):
    """A card number of 13 to 19 digits that passes Luhn's check, in one piece or in groups of four."""
    number = draw(strategies.text("0123456789", min_size=12, max_size=18))
    number = next(number + last for last in "0123456789" if luhn_sum(number + last) % 10 == 0)
    separator = draw(strategies.sampled_from(["", " ", "-"]))
    return separator.join(number[start : start + 4] for start in range(0, len(number), 4))


def luhn_sum(number):
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2]]
    return sum(map(int, number[-1::-2])) + sum(doubled)


@given(UUIDS, strategies.sampled_from(["{}", "Task payments.sweep[{}] received", "{} 20", "2026-11-21 {}", "pi_{}"]))
# All digits, and what hides in it passes Luhn's check.
@example(uuid.UUID("42424242-4242-4242-8242-424242424242"), "{}")
def test_a_uuid_is_never_touched(identifier, around):
    for written in (str(identifier), str(identifier).upper()):
        assert written in redact_text(around.format(written))


@given(UUIDS.filter(lambda identifier: not identifier.hex.isdigit()))
def test_a_uuid_without_hyphens_is_never_touched(identifier):
    assert redact_text(f"evt_{identifier.hex}") == f"evt_{identifier.hex}"


@given(
    cards(),
    strategies.sampled_from(
        ["{}", "card {}.", "No.{}", "2026-11-21 {}", "{} 12 28", "x{}y", "card={}&cvc", "0 {} 0", "(1) {}"]
    ),
)
def test_a_card_number_is_never_left(number, around):
    assert number not in redact_text(around.format(number))


def test_a_card_number_beside_a_uuid_is_taken_out_and_the_uuid_stays():
    identifier = str(uuid.uuid4())
    assert redact_text(f"{identifier} 4242 4242 4242 4242 {identifier}") == f"{identifier} [card] {identifier}"


def test_django_logs_each_line_once_and_redacted(lines):
    logging.getLogger("django.request").warning("Not Found: %s", "/find/canary@mail.example.org")
    (line,) = map(json.loads, lines().splitlines())
    assert line["event"] == "Not Found: /find/[e-mail]"


def ask(rf, seen=None, **headers):
    def view(request):
        structlog.get_logger().warning("viewed")
        return HttpResponse()

    return RequestIdMiddleware(view)(rf.get("/", headers=headers))


def test_each_request_has_an_id_in_its_lines_and_its_answer(lines, rf):
    first, second = ask(rf), ask(rf)
    logged = [json.loads(line)["request_id"] for line in lines().splitlines()]
    assert logged == [first["X-Request-Id"], second["X-Request-Id"]]
    assert logged[0] != logged[1]


def test_a_proxys_id_is_kept(rf):
    assert ask(rf, **{"x-request-id": "0af7651916cd43dd-8448eb211c80319c"})["X-Request-Id"].startswith("0af7651916")


@pytest.mark.parametrize("hostile", ["x", "a" * 65, "abc def gh", '"},{"level":"x', "../../etc"])
def test_an_id_that_could_forge_a_line_is_replaced(rf, hostile):
    assert ask(rf, **{"x-request-id": hostile})["X-Request-Id"] != hostile
