"""The customer's page of an invoice at `/i/<invoice>`, with a form to pay it, and its PDF at `/i/<invoice>/pdf`."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from sandbox import store
from sandbox.billing import clocks, invoices
from sandbox.billing.invoice_payments import intent_of, payment_method_types
from sandbox.hosted.asked import Asked
from sandbox.hosted.countries import COUNTRIES
from sandbox.hosted.invoice_pdf import pdf_of
from sandbox.hosted.pay_form import METHOD_FIELDS, PayForm
from sandbox.payments.methods import CARD_PREFIXES, resolve
from sandbox.payments.published_cards import GROUPS
from sandbox.protocol import origin
from sandbox.protocol.errors import ApiError
from sandbox.store import Body

SEE_OTHER = 303
PAYABLE = ("open", "uncollectible")
KINDS = (("card", "method-card", "Card"), ("sepa_debit", "method-sepa", "SEPA bank debit"))


def page(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """Show the invoice, or process its payment."""
    invoice = _find(invoice_id)
    if invoice is None:
        return render(request, "sandbox/page_missing.html", status=404)
    if request.method == "POST":
        return _pay(request, invoice_id)
    form = PayForm.read(request.GET, _asked(invoice))
    intent = intent_of(invoice) or {}
    if request.GET.get("redirect_status") == "failed" and intent.get("last_payment_error"):
        form.errors["cardNumber"] = intent["last_payment_error"]["message"]
    return _shown(request, invoice, form)


def pdf(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """The invoice as a PDF file."""
    invoice = _find(invoice_id)
    if invoice is None:
        return render(request, "sandbox/page_missing.html", status=404)
    name = f"Invoice-{invoice['number']}.pdf"
    disposition = {"Content-Disposition": f'inline; filename="{name}"'} if name.isascii() and '"' not in name else {}
    return HttpResponse(pdf_of(invoice), content_type="application/pdf", headers=disposition)


def _find(invoice_id: str) -> Body | None:
    """The invoice, or None; sets the acting account to the invoice's. Drafts have no page."""
    store.act_for(None)
    try:
        store.act_for(store.owner_of(invoice_id))
    except store.NotStored:
        return None
    invoice = store.find("invoice", invoice_id)
    is_shown = invoice is not None and not invoice.get("deleted") and invoice["status"] != "draft"
    return invoice if is_shown else None


def _pay(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """Process the payment once: the invoice is read again inside the lock, so a second click finds it paid."""
    with store.writing():
        origin.begin()
        invoice = store.fetch("invoice", invoice_id)
        form = PayForm.read(request.POST, _asked(invoice))
        if invoice["status"] in PAYABLE:
            method = _method(request.POST.get("payment_method"), form)
            if method is not None:
                _attempt(invoice, method, form)
            if form.errors:
                return _shown(request, invoice, form)
        intent = intent_of(invoice)
    if intent and intent["status"] == "requires_action":
        return HttpResponseRedirect(f"/3ds/{intent['id']}", status=SEE_OTHER)
    return HttpResponseRedirect(f"/i/{invoice_id}", status=SEE_OTHER)


def _method(alias: str | None, form: PayForm) -> Body | None:
    """The payment method: a test card by its alias, or from the form; None if it is invalid."""
    if alias and alias.startswith(CARD_PREFIXES):
        try:
            return resolve(alias)
        except ApiError as error:
            form.show_error(error)
            return None
    return form.payment_method() if form.check() else None


def _attempt(invoice: Body, method: Body, form: PayForm) -> None:
    """Try to pay the invoice; a redirect to the bank's page is not an error."""
    try:
        attempt = invoices.pay_invoice(
            invoice, payment_method=method, off_session=False, return_url=invoice["hosted_invoice_url"]
        )
    except ApiError as error:
        form.show_error(error)
        return
    waits = attempt.intent is not None and attempt.intent["status"] == "requires_action"
    if attempt.error and not waits:
        form.show_error(attempt.error)


def _asked(invoice: Body) -> Asked:
    """The fields of the page: the payment method, and an email address if the invoice has none."""
    email = invoice["customer_email"]
    return Asked(
        email=email,
        is_email_known=bool(email),
        needs_method=True,
        types=tuple(kind for kind in payment_method_types(invoice) if kind in METHOD_FIELDS),
        saved=(),
        can_save=False,
        can_remove=False,
        wants_phone=False,
        wants_address=False,
        wants_country=False,
        wants_terms=False,
        custom_fields=[],
    )


def _shown(request: HttpRequest, invoice: Body, form: PayForm) -> HttpResponse:
    intent = intent_of(invoice) or {}
    chosen = form.values["method"] if form.values["method"] in form.asked.types else form.asked.first_choice
    with clocks.time_of(invoice):
        context = {
            "asked": form.asked,
            "card_groups": GROUPS,
            "chosen": chosen,
            "countries": COUNTRIES,
            "country": form.values["billingCountry"] or (invoice["customer_address"] or {}).get("country") or "US",
            "form": form,
            "invoice": invoice,
            "is_payable": invoice["status"] in PAYABLE and intent.get("status") != "processing",
            "is_processing": intent.get("status") == "processing",
            "kinds": [kind for kind in KINDS if kind[0] in form.asked.types],
        }
    return render(request, "sandbox/invoice.html", context, status=422 if form.errors else 200)
