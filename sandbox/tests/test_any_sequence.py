"""Random sequences of all calls: statuses change only as at Stripe, balances stay correct, and nothing fails.

SANDBOX_SEQUENCES=200 runs that many sequences, different each time; by default a few, always the same.
"""

import os
from collections import defaultdict
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from sandbox.tests.random_forms import CARDS, Forms
from sandbox.tests.recorded import answer_problems
from sandbox.tests.route_table import all_routes

SEQUENCES = int(os.environ.get("SANDBOX_SEQUENCES", "0"))
DAY = 24 * 3600
SEEDS = st.integers(0, 2**32)
# The statuses that each status may change to, in one step or several. Statuses without an entry are final.
GRAPHS: dict[str, dict[str, str]] = {
    "payment_intent": {
        "requires_payment_method": "requires_confirmation requires_action processing requires_capture canceled",
        "requires_confirmation": "requires_payment_method requires_action processing requires_capture canceled",
        "requires_action": "requires_payment_method requires_confirmation processing requires_capture canceled",
        "processing": "requires_payment_method requires_capture succeeded canceled",
        "requires_capture": "succeeded canceled",
    },
    "setup_intent": {
        "requires_payment_method": "requires_confirmation requires_action processing succeeded canceled",
        "requires_confirmation": "requires_payment_method requires_action processing succeeded canceled",
        "requires_action": "requires_payment_method requires_confirmation processing succeeded canceled",
        "processing": "requires_payment_method succeeded canceled",
    },
    "charge": {"pending": "succeeded failed"},
    "refund": {
        "pending": "requires_action succeeded failed canceled",
        "requires_action": "pending succeeded failed canceled",
        # A bank may return the money days later.
        "succeeded": "failed",
    },
    "dispute": {
        "warning_needs_response": "warning_under_review warning_closed needs_response",
        "warning_under_review": "warning_closed needs_response",
        "needs_response": "under_review won lost",
        "under_review": "won lost",
    },
    "payout": {"pending": "in_transit paid failed canceled", "in_transit": "paid failed canceled", "paid": "failed"},
    "subscription": {
        "incomplete": "active trialing incomplete_expired canceled",
        "trialing": "active past_due paused unpaid canceled",
        "active": "trialing past_due paused unpaid canceled",
        "past_due": "active unpaid canceled",
        "unpaid": "active past_due canceled",
        "paused": "active past_due canceled",
    },
    "invoice": {"draft": "open paid", "open": "paid void uncollectible", "uncollectible": "paid void"},
    "checkout.session": {"open": "complete expired"},
}


ABILITIES = ("card_payments", "transfers")
TEACHER = {
    "type": "custom",
    "country": "US",
    "email": "ada@example.org",
    "business_type": "individual",
    "business_profile[mcc]": "8299",
    "business_profile[url]": "https://ada.example.org",
    "individual[first_name]": "Ada",
    "individual[last_name]": "Byron",
    "individual[email]": "ada@example.org",
    "individual[phone]": "+15555550101",
    "individual[dob][day]": "10",
    "individual[dob][month]": "12",
    "individual[dob][year]": "1985",
    "individual[address][line1]": "1 Main Street",
    "individual[address][city]": "Springfield",
    "individual[address][state]": "IL",
    "individual[address][postal_code]": "62701",
    "individual[ssn_last_4]": "0000",
    "settings[payouts][schedule][interval]": "daily",
    "tos_acceptance[date]": "1790000000",
    "tos_acceptance[ip]": "192.0.2.1",
    "external_account": "btok_us_verified",
}


def routes(way: str) -> list[dict[str, Any]]:
    """The routes that create an object, change an existing one, or only read."""
    if way == "reads":
        return [route for route in all_routes() if route["method"] == "GET"]
    writes = [route for route in all_routes() if route["method"] != "GET"]
    return [route for route in writes if (":" in route["path"]) == (way == "changes")]


class AnySequence(RuleBasedStateMachine):
    """A sequence on a reset sandbox; `process` is set before the first sequence."""

    process: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.process.switch("reset", keep_endpoints=True)
        self.ids: dict[str, list[str]] = defaultdict(list)
        self.accounts: list[str] = []
        self.history: list[str] = []
        self.platform = self.call("GET", "/v1/account", {})["id"]
        for form in ({"name": "Ada", "source": "tok_visa"}, {}):
            self.call("POST", "/v1/customers", form)
        self.call("POST", "/v1/prices", {"currency": "usd", "unit_amount": "1500", "product_data[name]": "Paper"})
        monthly = {"currency": "usd", "unit_amount": "900", "recurring[interval]": "month", "product_data[name]": "Ink"}
        self.call("POST", "/v1/prices", monthly)
        funds = {"amount": "50000", "currency": "usd", "payment_method": "pm_card_bypassPending", "confirm": "true"}
        funds["payment_method_types[]"] = "card"
        self.call("POST", "/v1/payment_intents", funds)
        self.call("POST", "/v1/accounts", {f"capabilities[{name}][requested]": "true" for name in ABILITIES} | TEACHER)
        self.process.switch("clock", advance=5)

    def call(self, method: str, path: str, form: Any, account: str | None = None) -> Any:
        """Make one call and check its response against the published types; later calls can use the objects in it."""
        sent = {"params": form} if method != "POST" else {"data": form}
        headers = {"Stripe-Account": account} if account else {}
        self.history.append(f"{method} {path} {form} {account or ''}")
        answer = self.process.http.request(method, self.process.url + path, headers=headers, timeout=30, **sent)
        wrong = answer_problems(answer.status_code, answer.text)
        assert not wrong, "\n".join([*self.history[-12:], str(wrong)])
        body = answer.json()
        if method == "POST" and answer.status_code == 200:
            self._note(body)
        return body

    def _note(self, body: Any) -> None:
        if isinstance(body, dict):
            kind, object_id = body.get("object"), body.get("id")
            if isinstance(kind, str) and isinstance(object_id, str) and object_id not in self.ids[kind]:
                self.ids[kind].append(object_id)
                if kind == "account" and object_id != self.platform:
                    self.accounts.append(object_id)
            for inner in body.values():
                self._note(inner)
        elif isinstance(body, list):
            for inner in body:
                self._note(inner)

    def _random_call(self, way: str, seed: int) -> None:
        random = Random(seed)
        route = random.choice(routes(way))
        forms = Forms(random, self.ids)
        account = random.choice(self.accounts) if self.accounts and random.random() < 0.1 else None
        self.call(route["method"], forms.address(route["path"]), forms.form(route["accepts"]), account)

    @rule(seed=SEEDS)
    def creates_anything(self, seed: int) -> None:
        self._random_call("creates", seed)

    @rule(seed=SEEDS)
    def changes_anything(self, seed: int) -> None:
        self._random_call("changes", seed)

    @rule(seed=SEEDS)
    def changes_anything_once_more(self, seed: int) -> None:
        self._random_call("changes", seed)

    @rule(seed=SEEDS)
    def reads_anything(self, seed: int) -> None:
        self._random_call("reads", seed)

    @rule(card=st.sampled_from(CARDS), amount=st.integers(50, 9000), capture=st.sampled_from(["automatic", "manual"]))
    def pays(self, card: str, amount: int, capture: str) -> None:
        form = {"amount": str(amount), "currency": "usd", "payment_method": card, "confirm": "true"}
        form |= {"capture_method": capture, "payment_method_types[]": "card"}
        self.call("POST", "/v1/payment_intents", form)

    @rule(seed=SEEDS, outcome=st.sampled_from(["pass", "fail"]))
    def authenticates(self, seed: int, outcome: str) -> None:
        if self.ids["payment_intent"]:
            intent = Random(seed).choice(self.ids["payment_intent"])
            assert self.process.post(f"/3ds/{intent}", outcome=outcome).status_code in (303, 200, 404)

    @rule(seed=SEEDS, part=st.sampled_from(["", "100", "700"]))
    def refunds(self, seed: int, part: str) -> None:
        charge = Forms(Random(seed), self.ids).any_id("charge")
        self.call("POST", "/v1/refunds", {"charge": charge} | ({"amount": part} if part else {}))

    @rule(seed=SEEDS, card=st.sampled_from(CARDS[:5]), trial=st.sampled_from(["", "3"]))
    def subscribes(self, seed: int, card: str, trial: str) -> None:
        customer = Forms(Random(seed), self.ids).any_id("customer")
        method = self.call("POST", f"/v1/payment_methods/{card}/attach", {"customer": customer}).get("id")
        form = {"customer": customer, "items[0][price]": self.ids["price"][-1]}
        form |= {"default_payment_method": method} if method else {}
        self.call("POST", "/v1/subscriptions", form | ({"trial_period_days": trial} if trial else {}))

    @rule(seed=SEEDS, card=st.sampled_from(CARDS), mode=st.sampled_from(["payment", "subscription", "setup"]))
    def checks_out(self, seed: int, card: str, mode: str) -> None:
        form = {"mode": mode, "success_url": "http://shop.example/done", "currency": "usd"}
        if mode != "setup":
            price = Forms(Random(seed), self.ids).any_id("price")
            form |= {"line_items[0][price]": price, "line_items[0][quantity]": "2"}
        session = self.call("POST", "/v1/checkout/sessions", form)
        if "error" not in session:
            self.call("POST", f"/v1/payment_pages/{session['id']}/confirm", {"payment_method": card})

    @rule(seed=SEEDS, step=st.sampled_from(["", "pay", "void", "mark_uncollectible", "send"]))
    def bills(self, seed: int, step: str) -> None:
        customer = Forms(Random(seed), self.ids).any_id("customer")
        self.call("POST", "/v1/invoiceitems", {"customer": customer, "amount": "700", "currency": "usd"})
        form = {"customer": customer, "pending_invoice_items_behavior": "include"}
        form |= {"collection_method": "send_invoice", "days_until_due": "3"} if step == "send" else {}
        invoice = self.call("POST", "/v1/invoices", form)
        if "error" not in invoice:
            self.call("POST", f"/v1/invoices/{invoice['id']}/finalize", {})
            if step:
                self.call("POST", f"/v1/invoices/{invoice['id']}/{step}", {})

    @rule(seed=SEEDS, amount=st.integers(1, 3000), back=st.booleans())
    def shares(self, seed: int, amount: int, back: bool) -> None:
        account = Forms(Random(seed), self.ids).any_id("account")
        form = {"amount": str(amount), "currency": "usd", "destination": account}
        transfer = self.call("POST", "/v1/transfers", form)
        if back and "error" not in transfer:
            self.call("POST", f"/v1/transfers/{transfer['id']}/reversals", {"amount": str(amount // 2 + 1)})
        if "error" not in transfer:
            self.call("POST", "/v1/payouts", {"amount": str(amount // 3 + 1), "currency": "usd"}, account)

    @rule(seed=SEEDS, fee=st.sampled_from(["", "100"]), has_dispute=st.booleans())
    def pays_a_teacher(self, seed: int, fee: str, has_dispute: bool) -> None:
        account = Forms(Random(seed), self.ids).any_id("account")
        form = {"amount": "3000", "currency": "usd", "confirm": "true", "payment_method_types[]": "card"}
        form |= {"payment_method": "pm_card_createDispute" if has_dispute else "pm_card_visa"}
        form |= {"transfer_data[destination]": account} | ({"application_fee_amount": fee} if fee else {})
        intent = self.call("POST", "/v1/payment_intents", form)
        if "error" not in intent and fee:
            form = {"payment_intent": intent["id"], "reverse_transfer": "true", "refund_application_fee": "true"}
            self.call("POST", "/v1/refunds", form | {"amount": "1000"})

    @rule(seconds=st.sampled_from([1, 3600, DAY, 8 * DAY, 33 * DAY]))
    def waits(self, seconds: int) -> None:
        self.process.switch("clock", advance=seconds)
        self._note({"data": self.call("GET", "/v1/events", {"limit": "100"})})

    def teardown(self) -> None:
        self.process.drain()
        self._states_moved_along_the_graphs()
        for account in (None, *self.accounts):
            self._balance_is_the_sum_of_its_movements(account)

    def _every(self, path: str, account: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            form = {"limit": "100"} | ({"starting_after": found[-1]["id"]} if found else {})
            page = self.call("GET", path, form, account)
            found += page.get("data", [])
            if not page.get("has_more"):
                return found

    def _states_moved_along_the_graphs(self) -> None:
        last: dict[str, str] = {}
        accounts = [None, *self.accounts]
        for event in (event for account in accounts for event in reversed(self._every("/v1/events", account))):
            body = event["data"]["object"]
            graph = GRAPHS.get(body["object"])
            if graph is None or "id" not in body or "status" not in body:
                continue
            before, after = last.get(body["id"], body["status"]), body["status"]
            assert after == before or after in _reachable(graph, before), (
                f"{body['id']} went from {before} to {after} with {event['type']}"
            )
            last[body["id"]] = after

    def _balance_is_the_sum_of_its_movements(self, account: str | None) -> None:
        while True:  # Funds may become available between two reads.
            balance = self.call("GET", "/v1/balance", {}, account)
            if "error" in balance:  # The account was deleted meanwhile.
                return
            movements = self._every("/v1/balance_transactions", account)
            if self.call("GET", "/v1/balance", {}, account) == balance:
                break
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for movement in movements:
            assert movement["net"] == movement["amount"] - movement["fee"], movement
            assert movement["fee"] == sum(fee["amount"] for fee in movement["fee_details"]), movement
            sums[movement["status"], movement["currency"]] += movement["net"]
        for status in ("available", "pending"):
            shown = {part["currency"]: part["amount"] for part in balance[status]}
            assert all(shown.get(currency, 0) == total for (at, currency), total in sums.items() if at == status), (
                f"{account} has {shown} {status}, but its balance transactions add up to {dict(sums)}"
            )
            assert all(sums[status, currency] == amount for currency, amount in shown.items()), (shown, sums)


def _reachable(graph: dict[str, str], state: str) -> set[str]:
    found: set[str] = set()
    ahead = graph.get(state, "").split()
    while ahead:
        following = ahead.pop()
        if following not in found:
            found.add(following)
            ahead += graph.get(following, "").split()
    return found


def test_statuses_are_reachable_only_forward():
    assert _reachable(GRAPHS["charge"], "pending") == {"succeeded", "failed"}
    assert "draft" not in _reachable(GRAPHS["invoice"], "open")


@pytest.mark.slow
def test_no_random_sequence_of_calls_fails(sandbox):
    AnySequence.process = sandbox
    run_state_machine_as_test(
        AnySequence,
        settings=settings(
            max_examples=SEQUENCES or 6,
            stateful_step_count=50,
            deadline=None,
            derandomize=not SEQUENCES,
            # Shrinking would take minutes, and the failure message already lists the last calls.
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
