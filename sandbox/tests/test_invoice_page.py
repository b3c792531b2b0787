"""The customer's page of an invoice."""

import re

import pytest

CARD = {"cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "Ada", "billingCountry": "US", "method": "card"}


@pytest.fixture
def invoice(client):
    customer = client.v1.customers.create({"email": "ada@example.org", "name": "<b>Ada</b>"})
    made = client.v1.invoices.create(
        {"customer": customer.id, "currency": "usd", "description": "<script>alert(1)</script>"}
    )
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": made.id, "amount": 2000, "description": "Ink & (paper)"}
    )
    return client.v1.invoices.finalize_invoice(made.id)


def test_the_page_shows_the_amount_due_and_escapes_all_text(sandbox, client, invoice):
    page = sandbox.get(f"/i/{invoice.id}")
    assert page.status_code == 200
    assert "Nothing here is real" in page.text
    assert f"Invoice {invoice.number}" in page.text
    assert "Ink &amp; (paper)" in page.text
    assert "<script>" not in page.text
    assert "<b>Ada" not in page.text
    assert "Pay $20.00" in re.sub(r"\s+", " ", page.text)
    assert sandbox.get("/i/in_none").status_code == 404
    draft = client.v1.invoices.create({"customer": invoice.customer})
    assert sandbox.get(f"/i/{draft.id}").status_code == 404


def test_a_card_pays_the_invoice_once(sandbox, client, invoice):
    for _ in range(2):
        answer = sandbox.post(f"/i/{invoice.id}", cardNumber="4242 4242 4242 4242", **CARD)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/i/{invoice.id}")
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
    assert len(client.v1.charges.list().data) == 1
    assert "has been paid" in sandbox.get(f"/i/{invoice.id}").text


def test_a_refused_card_shows_the_reason_and_can_be_retried(sandbox, client, invoice):
    refused = sandbox.post(f"/i/{invoice.id}", cardNumber="4000000000009995", **CARD)
    assert refused.status_code == 422
    assert "Your card has insufficient funds." in refused.text
    assert "Required" in sandbox.post(f"/i/{invoice.id}", **CARD).text
    assert sandbox.post(f"/i/{invoice.id}", payment_method="pm_card_none").status_code == 422
    sandbox.post(f"/i/{invoice.id}", payment_method="pm_card_visa")
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"


def test_a_card_with_three_d_secure_redirects_to_the_bank_and_back(sandbox, client, invoice):
    submitted = sandbox.post(f"/i/{invoice.id}", cardNumber="4000000000003220", **CARD)
    bank = submitted.headers["Location"]
    assert bank.startswith("/3ds/pi_")
    failed = sandbox.post(bank, outcome="fail").headers["Location"]
    assert failed.startswith(f"{sandbox.url}/i/{invoice.id}?")
    back = sandbox.get(failed.removeprefix(sandbox.url))
    assert "failed authentication" in back.text
    again = sandbox.post(f"/i/{invoice.id}", cardNumber="4000000000003220", **CARD).headers["Location"]
    sandbox.post(again, outcome="pass")
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
    assert sandbox.event_types().count("invoice.payment_action_required") == 2


def test_an_invoice_can_be_downloaded_as_a_pdf(sandbox, invoice):
    file = sandbox.get(f"/i/{invoice.id}/pdf")
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.content.startswith(b"%PDF-1.4")
    assert rb"Ink & \(paper\)" in file.content
    assert b"SANDBOX" in file.content
    assert sandbox.get("/i/in_none/pdf").status_code == 404


def test_a_void_invoice_cannot_be_paid(sandbox, client, invoice):
    client.v1.invoices.void_invoice(invoice.id)
    assert "voided" in sandbox.get(f"/i/{invoice.id}").text
    sandbox.post(f"/i/{invoice.id}", payment_method="pm_card_visa")
    assert client.v1.charges.list().data == []
