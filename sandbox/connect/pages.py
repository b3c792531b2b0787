"""The pages for an account's owner: the onboarding form behind an account link, and a small dashboard."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from sandbox import store
from sandbox.connect import onboarding
from sandbox.connect.accounts import find_connected
from sandbox.connect.published_banks import FAILURES, PAYS_OUT
from sandbox.payments.balance import current_balance
from sandbox.protocol import origin
from sandbox.protocol.errors import ApiError
from sandbox.store import Body

SEE_OTHER = 303
FIELDS = ("business_type", "business_name", "first_name", "last_name", "email", "account_number")
OUTCOMES = (onboarding.SUBMIT, onboarding.REVIEW, onboarding.MORE, onboarding.LEAVE)
SHOWN_PAYOUTS = 20


def enter(request: HttpRequest, account_id: str, token: str) -> HttpResponse:
    """Redirect from an account link: once to the form, afterwards to `refresh_url`."""
    store.act_for(None)
    # Link previews and prefetching browsers send HEAD, which must not use the link up.
    if request.method != "GET":
        return HttpResponse(status=200)
    with store.writing():
        link, form = onboarding.open_link(account_id, token)
    if link is None:
        return _missing(request)
    return _see_other(f"/setup/s/{account_id}/{form}" if form else link["refresh_url"])


def fill_in(request: HttpRequest, account_id: str, form: str) -> HttpResponse:
    """Show the onboarding form, or take the submitted one."""
    store.act_for(None)
    link = onboarding.link_of_form(account_id, form)
    account = find_connected(account_id)
    if link is None or account is None:
        return _missing(request)
    if request.method == "POST":
        return _sent_in(request, account, link)
    return _form_page(request, account, {}, None)


def _sent_in(request: HttpRequest, account: Body, link: Body) -> HttpResponse:
    outcome = request.POST.get("outcome", onboarding.SUBMIT)
    filled = {name: request.POST[name].strip() for name in FIELDS if request.POST.get(name, "").strip()}
    if outcome not in OUTCOMES or filled.get("business_type", "individual") not in ("individual", "company"):
        return HttpResponse(status=400)
    if outcome != onboarding.LEAVE:
        try:
            with store.writing():
                origin.begin()
                onboarding.submit_form(account["id"], filled, outcome=outcome)
        except ApiError as error:
            return _form_page(request, account, filled, error.message)
    return _see_other(link["return_url"])


def _form_page(request: HttpRequest, account: Body, filled: Body, wrong: str | None) -> HttpResponse:
    context = {
        "account": account,
        "due": account["requirements"]["currently_due"],
        "banks": [(PAYS_OUT, "pays out"), *((number, failure.code) for number, failure in FAILURES.items())],
        "is_american": account["country"] == "US",
        "has_bank": bool(account["external_accounts"]["data"]),
        "filled": {"first_name": "Sam", "last_name": "Sandbox", "email": account["email"] or "owner@example.com"}
        | filled,
        "business_type": filled.get("business_type") or account["business_type"] or "individual",
        "wrong": wrong,
    }
    return render(request, "sandbox/connect_onboarding.html", context, status=422 if wrong else 200)


def dashboard(request: HttpRequest, account_id: str, token: str) -> HttpResponse:
    """The page of a login link: balance and payouts of one account."""
    store.act_for(None)
    account = find_connected(account_id)
    if account is None or not token:
        return _missing(request)
    with store.acting_for(account_id):
        payouts = store.rows("payout").order_by("-sequence").values_list("body", flat=True)[:SHOWN_PAYOUTS]
        context = {"account": account, "balance": current_balance(), "payouts": list(payouts)}
    return render(request, "sandbox/connect_dashboard.html", context)


def _missing(request: HttpRequest) -> HttpResponse:
    return render(request, "sandbox/page_missing.html", status=404)


def _see_other(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=SEE_OTHER)
