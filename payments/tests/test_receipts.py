"""Receipts name people and items in their own script."""

import re
import zlib
from datetime import UTC, datetime

import pytest

from accounts.tests.factories import UserFactory
from jobs.runner import drain
from money import Money
from notifications.models import Mail
from payments.documents.receipt import render_receipt
from payments.models import Order, OrderLine, Payment
from payments.payers import name_payment_method, write_billing_address
from payments.pdf import GAP, WorldDocument, render_pdf
from payments.refunds.plan import OverAllLines
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.drawn_text import text_of_pdf
from payments.tests.factories import evidence_for, open_order, paid_order, refund_object, refunded, sample_offer

pytestmark = pytest.mark.django_db


def letters_of(pdf):
    """Every letter that can be copied from a PDF, by its fonts' tables."""
    codes = re.findall(rb"<[0-9A-F]{4}> <([0-9A-F]+)>", pdf)
    return {letter for code in codes for letter in bytes.fromhex(code.decode()).decode("utf-16-be")}


def content_of(pdf):
    """What the pages of a PDF draw, uncompressed."""
    return b"".join(zlib.decompress(part) for part in re.findall(rb"stream\n(x.*?)\nendstream", pdf, re.DOTALL))


def receipt_for(name, *, title=""):
    payment = open_order(sample_offer(), user=UserFactory(full_name=name))
    if title:
        OrderLine.objects.filter(order=payment.order).update(title=title)
    return render_receipt(settle_payment(evidence_for(payment))[0])


@pytest.mark.parametrize(
    "name",
    [
        "Ελένη Παπαδοπούλου",
        "Юлія Щербак",
        "Łukasz Żółć",
        "Işıl Güneş İnan",
        "Nguyễn Thị Phượng Đặng",
        "محمد العربي",
        "יעל שלום",
        "สมชาย ใจดี",
        "गीता शर्मा",
        "李小龍",
        "王书记",
        "山田 はなこ カナ",
        "김민준",
    ],
)
def test_a_receipt_names_its_payer_in_their_own_script(name):
    pdf = receipt_for(name)
    assert set(name) - {" "} <= letters_of(pdf)
    assert not set(GAP) & letters_of(pdf)


def test_a_row_after_one_in_east_asian_letters_is_in_its_own_font():
    def draw(pdf):
        pdf.add_page()
        for text, style in (("Billed to", "B"), ("李小龍", ""), ("ada@example.org", "")):
            pdf.set_font(pdf.family, style=style, size=10)
            pdf.multi_cell(100, 8, pdf.printable(text), new_x="LMARGIN", new_y="NEXT")

    rows = content_of(render_pdf(draw)).decode("latin-1")
    regular = rows.index("/F1 10.00 Tf", rows.index("/F3 10.00 Tf"))
    assert regular > rows.index("Q", rows.index("/F3"))


def test_letters_without_a_font_leave_a_gap_and_a_note_where_to_read_them():
    letters = letters_of(receipt_for("山田 Hanako", title="かな入門 😀"))
    assert set("山田Hanakoかな入門") <= letters
    assert set(GAP) <= letters
    assert "😀" not in letters


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("€9.50 – “Żółć” ’", "€9.50 – “Żółć” ’"),
        ("山田 太郎", "山田 太郎"),
        ("Kana 入門 😀😀 1", f"Kana 入門 {GAP} 1"),
        ("😀 🎹", f"{GAP} {GAP}"),
        ("Zoe\u0308", "Zoë"),
        ("a\x00b\x07c", "abc"),
        ("", ""),
    ],
)
def test_each_run_of_unknown_letters_becomes_one_gap(text, printed, tmp_path):
    document = WorldDocument(tmp_path)
    assert document.printable(text) == printed
    assert document.has_gaps == (GAP in printed)
    document.close_fonts()


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Guest of علی\u200cرضا, Bonn", "Guest of اضر\u200cیلع, Bonn"),
        ("A می\u200cخواهم بروم b", "A مورب مهاوخ\u200cیم b"),
        ("علی\u200cرضا", "اضر\u200cیلع"),
        ("A محمد العربي b", "A يبرعلا دمحم b"),
    ],
)
def test_a_word_that_a_joiner_divides_is_not_turned_around_in_an_english_line(text, drawn):
    receipt = text_of_pdf(receipt_for("李小龍", title=text))
    assert drawn in receipt.replace("\u202b", "").replace("\u202c", "").splitlines()


def test_western_letters_are_drawn_without_embedding_any():
    pdf = receipt_for("Zoë D’Été-Müller", title="€9.50 – a “good” price")
    assert b"FontFile" not in pdf
    assert b"WinAnsiEncoding" in pdf
    assert "Zoë D’Été-Müller".encode("windows-1252") in content_of(pdf)


def test_one_letter_that_is_not_western_is_enough_for_the_other_font():
    assert b"FontFile" in receipt_for("Zoë Łodz")


def test_the_mail_about_a_payment_has_the_receipt_attached(mailoutbox):
    order = settle_payment(evidence_for(open_order()))[0]
    drain(Mail, seconds=10)
    (sent,) = (mail for mail in mailoutbox if mail.attachments)
    (attached,) = sent.attachments
    assert attached.filename == f"receipt-{order.number}.pdf"
    assert attached.mimetype == "application/pdf"
    assert attached.content.startswith(b"%PDF")
    assert "receipt is attached" in sent.body
    assert order.get_absolute_url() in sent.body


def test_drawing_a_receipt_logs_nothing(caplog):
    receipt_for("Ελένη")
    assert not [record for record in caplog.records if record.name.startswith("fontTools")]


def drawn_on_receipt_of(payment):
    return content_of(render_receipt(payment.order)).decode("windows-1252")


def end_refund(payment, minor, status):
    """Refund an amount over all lines; Stripe reports this status."""
    refund = refunded(payment, OverAllLines(Money(minor, "GBP")))
    record_refund(read_refund(refund_object(refund, status=status)))


def test_a_receipt_shows_what_came_back_and_what_was_paid_in_the_end(settings):
    """antiwork/gumroad#5857: after a refund the document still claimed that everything was paid."""
    settings.TAX_RATE_BPS = 2000
    payment = paid_order(6000, 6000)
    assert "refund" not in drawn_on_receipt_of(payment)
    end_refund(payment, 3000, "pending")
    end_refund(payment, 600, "failed")
    assert "efund" not in drawn_on_receipt_of(payment)
    end_refund(payment, 1200, "succeeded")
    end_refund(payment, 1800, "succeeded")
    drawn = drawn_on_receipt_of(payment)
    for text in ("£120.00", "£20.00", "Refunded on", "-£12.00", "-£18.00", "Paid after refunds", "£90.00", "£15.00"):
        assert text in drawn
    assert "-£30.00" not in drawn


def test_a_receipt_names_no_tax_of_a_refund_that_is_not_allocated_to_lines(settings):
    settings.TAX_RATE_BPS = 2000
    payment = paid_order(6000, 6000)
    made_at_stripe = {"id": "re_1", "object": "refund", "status": "succeeded", "amount": 3000, "currency": "gbp"}
    record_refund(read_refund({**made_at_stripe, "payment_intent": payment.stripe_payment_intent_id}))
    drawn = drawn_on_receipt_of(payment)
    assert "£90.00" in drawn
    assert "£15.00" not in drawn
    assert drawn.count("of which") == 1


def test_an_order_that_was_not_paid_has_no_receipt():
    with pytest.raises(ValueError, match="only a paid order"):
        render_receipt(open_order().order)


def pages_of(pdf):
    """What each page of a Western PDF draws."""
    streams = map(zlib.decompress, re.findall(rb"stream\n(x.*?)\nendstream", pdf, re.DOTALL))
    return [stream.decode("windows-1252") for stream in streams if b"BT" in stream]


@pytest.mark.parametrize("number", [1, 19, 40])
def test_no_line_is_torn_by_the_end_of_a_page(number):
    payment = paid_order(*[1000 + 7 * one for one in range(number)])
    for one, line in enumerate(payment.order.lines.order_by("pk")):
        title = f"First{one}x " + "and more words " * (one % 9) + f"last{one}x"
        OrderLine.objects.filter(pk=line.pk).update(title=title[:200], description=f"Where{one}x")
    pages = pages_of(render_receipt(payment.order))
    assert (len(pages) > 1) == (number > 1)
    for one, line in enumerate(payment.order.lines.order_by("pk")):
        amount = f"({line.amount})"
        [page] = [page for page in pages if f"First{one}x" in page]
        assert f"Where{one}x" in page
        assert amount in page
    assert all("page 1" in page or "Item" in page for page in pages[:-1])


def test_a_receipt_says_when_it_was_in_the_buyers_zone_as_the_page_does(client):
    buyer = UserFactory(time_zone="Europe/Berlin")
    payment = paid_order(2500, user=buyer)
    paid_at = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    Order.objects.filter(pk=payment.order_id).update(paid_at=paid_at)
    payment.order.refresh_from_db()
    client.force_login(buyer)
    assert "Fri 1 Jan 2027, 00:30 CET" in drawn_on_receipt_of(payment)
    assert "1 Jan 2027" in client.get(payment.order.get_absolute_url()).content.decode()


def test_a_receipt_names_seller_buyer_prices_and_card(settings):
    settings.SELLER_NAME, settings.SELLER_TAX_NUMBER = "Atelier Müller", "DE 123"
    settings.SELLER_ADDRESS = "Kaiserstraße 1\n12043 Berlin"
    settings.TAX_RATE_BPS = 2000
    payment = paid_order(6000, quantity=3, user=UserFactory(full_name="Ada King", email="ada@example.org"))
    shown = ("Atelier Müller", "Kaiserstraße 1", "12043 Berlin", "VAT number: DE 123", "Ada King", "ada@example.org")
    for text in (*shown, "(3)", "£60.00", "£180.00", "of which VAT", "£30.00"):
        assert text in drawn_on_receipt_of(payment), text
    assert "Paid with" not in drawn_on_receipt_of(payment)
    billed_to = "A. King\n1 Mill Lane\nLS1 1AA Leeds"
    Payment.objects.filter(pk=payment.pk).update(paid_with="Visa ending in 4242", billed_to=billed_to)
    for text in ("Paid with Visa ending in 4242", *billed_to.splitlines()):
        assert text in drawn_on_receipt_of(payment)


@pytest.mark.parametrize(
    ("details", "name"),
    [
        ({"type": "card", "card": {"brand": "visa", "last4": "4242"}}, "Visa ending in 4242"),
        ({"type": "card", "card": {"brand": "amex", "last4": "0005"}}, "American Express ending in 0005"),
        ({"type": "card", "card": {"brand": None, "last4": "0005"}}, "Card ending in 0005"),
        ({"type": "sepa_debit", "sepa_debit": {"last4": "3000"}}, "SEPA Direct Debit ending in 3000"),
        ({"type": "amazon_pay", "amazon_pay": {}}, "Amazon pay"),
        ({"type": "link", "link": None}, "Link"),
        ({}, ""),
        (None, ""),
        ("x", ""),
    ],
)
def test_what_a_charge_was_paid_with(details, name):
    assert name_payment_method({"payment_method_details": details}) == name


def test_whom_a_charge_was_billed_to():
    address = {"line1": "1 Mill Lane", "line2": None, "postal_code": "LS1 1AA", "city": "Leeds", "country": "GB"}
    charge = {"billing_details": {"name": "Ada\n King", "address": address}}
    assert write_billing_address(charge) == "Ada King\n1 Mill Lane\nLS1 1AA Leeds\nUnited Kingdom"
    for nothing in ({}, {"billing_details": None}, {"billing_details": {"name": None, "address": None}}):
        assert not write_billing_address(nothing)
