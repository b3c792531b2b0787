import pytest

ADDRESS = {"line1": "1 Main St", "postal_code": "8010", "city": "Graz", "country": "AT"}


def pay(client, number, *, address=ADDRESS, options=None):
    """Pay with a card number; returns the intent."""
    details = {"address": address, "name": "Ada"}
    card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    parameters = {
        "amount": 2000,
        "currency": "usd",
        "payment_method_data": {"type": "card", "card": card, "billing_details": details},
        "confirm": True,
        "payment_method_types": ["card"],
        "expand": ["latest_charge", "payment_method"],
    }
    if options:
        parameters["payment_method_options"] = {"card": options}
    return client.v1.payment_intents.create(parameters)


@pytest.mark.parametrize(
    ("number", "line1", "postal_code", "cvc"),
    [
        ("4242424242424242", "pass", "pass", "pass"),
        ("4000000000000010", "fail", "fail", "pass"),
        ("4000000000000028", "fail", "pass", "pass"),
        ("4000000000000036", "pass", "fail", "pass"),
        ("4000000000000044", "unavailable", "unavailable", "pass"),
        ("4000000000000101", "pass", "pass", "fail"),
    ],
)
def test_cards_that_fail_their_published_checks_still_pay(client, number, line1, postal_code, cvc):
    intent = pay(client, number)
    expected = {"address_line1_check": line1, "address_postal_code_check": postal_code, "cvc_check": cvc}
    assert intent.status == "succeeded"
    assert intent.latest_charge.payment_method_details.card.checks.to_dict() == expected
    assert intent.payment_method.card.checks.to_dict() == expected


def test_only_given_details_are_checked(client):
    checks = pay(client, "4000000000000010", address={"postal_code": "8010"}).payment_method.card.checks
    assert (checks.address_line1_check, checks.address_postal_code_check) == (None, "fail")


@pytest.mark.parametrize(
    ("number", "level", "lowest"),
    [
        ("4242424242424242", "normal", 0),
        ("4000000000009235", "elevated", 65),
        ("4000000000004954", "highest", 75),
        ("4000058400307872", "elevated", 65),
        ("4000058400306072", "elevated", 65),
    ],
)
def test_cards_have_their_published_risk_level(client, number, level, lowest):
    outcome = pay(client, number).latest_charge.outcome
    assert (outcome.risk_level, outcome.type) == (level, "authorized")
    assert lowest <= outcome.risk_score < 100


def test_three_d_secure_is_shown_only_if_it_was_used(client):
    def shown(number, **options):
        return pay(client, number, options=options).latest_charge.payment_method_details.card.three_d_secure

    assert shown("4242424242424242") is None
    assert shown("4000000000003055") is None
    assert shown("4000000000003097") is None
    frictionless = shown("4000032200000000")
    assert (frictionless.authentication_flow, frictionless.result) == ("frictionless", "authenticated")
    failed = shown("4000000000003097", request_three_d_secure="any")
    assert (failed.result, failed.authentication_flow) == ("processing_error", None)


def test_cards_with_special_behaviour_have_two_aliases(client):
    for name in ("tok_createDispute", "tok_visa_createDispute"):
        method = client.v1.payment_methods.create({"type": "card", "card": {"token": name}})
        assert method.card.last4 == "0259"
